package org.dl4jquant.convert;

import static com.google.common.collect.ImmutableList.toImmutableList;

import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableMap;
import java.util.Collections;
import java.util.HashMap;
import java.util.Map;
import java.util.OptionalInt;
import java.util.function.Predicate;
import org.dl4jquant.dl4j.Dl4jNetwork;
import org.dl4jquant.dl4j.Dl4jParameter;
import org.dl4jquant.dl4j.ParameterRole;
import org.dl4jquant.format.Codebook;
import org.dl4jquant.format.FixedPointFormat;
import org.dl4jquant.format.Granularity;
import org.dl4jquant.format.NumberFormat;
import org.dl4jquant.internal.Checks;
import org.dl4jquant.strategy.SignHandling;
import org.dl4jquant.strategy.WeightedEntropy;
import org.dl4jquant.tensor.QuantizedTensor;
import org.dl4jquant.tensor.Tensor;

/**
 * Levels of weighted entropy in place of the fixed-point formats of weights (method G): as many as
 * the codes of a layer can name. Meant to be fine-tuned; as they are, they lose more than uniform
 * steps. Immutable and thread-safe.
 *
 * @param signs whether both signs share their magnitudes
 * @param perChannel whether the levels of a channel are those of the whole tensor times the
 *     channel's root mean square; else all channels have the same levels
 * @param withZero whether one level is zero, so that there are {@code 2^bits - 1}
 * @param gridBits the levels are moved to the nearest fixed-point numbers of this width, 2 to 16,
 *     so that integers can multiply by them; absent to leave them, and the layer computing in
 *     floats
 */
public record WeightedEntropyCodebooks(
    SignHandling signs, boolean perChannel, boolean withZero, OptionalInt gridBits) {
  /** Symmetric levels per channel, none of them zero, as published; on a grid of 8 bits. */
  public static final WeightedEntropyCodebooks DEFAULT =
      new WeightedEntropyCodebooks(SignHandling.SYMMETRIC, true, false, OptionalInt.of(8));

  /** Clusters more weights than this by a sample. */
  private static final int SAMPLE = 1 << 20;

  public WeightedEntropyCodebooks {
    gridBits.ifPresent(bits -> Checks.inRange("gridBits", bits, 2, 16));
  }

  /** Returns these with another treatment of signs. */
  public WeightedEntropyCodebooks withSigns(SignHandling other) {
    return new WeightedEntropyCodebooks(other, perChannel, withZero, gridBits);
  }

  /** Returns these with or without levels that follow the channels. */
  public WeightedEntropyCodebooks withPerChannel(boolean each) {
    return new WeightedEntropyCodebooks(signs, each, withZero, gridBits);
  }

  /** Returns these with or without a level that is zero. */
  public WeightedEntropyCodebooks withZero(boolean zero) {
    return new WeightedEntropyCodebooks(signs, perChannel, zero, gridBits);
  }

  /** Returns these with levels on a grid of this width. */
  public WeightedEntropyCodebooks onGrid(int bits) {
    return new WeightedEntropyCodebooks(signs, perChannel, withZero, OptionalInt.of(bits));
  }

  /** Returns these with levels wherever they come to lie. */
  public WeightedEntropyCodebooks offGrid() {
    return new WeightedEntropyCodebooks(signs, perChannel, withZero, OptionalInt.empty());
  }

  /**
   * Returns the codebooks of a weight, one per channel of the granularity.
   *
   * @param weights finite, at least one
   * @param bitWidth 2 to 16
   */
  public ImmutableList<NumberFormat> choose(Tensor weights, Granularity granularity, int bitWidth) {
    int channels = granularity.channels(weights.shape());
    WeightedEntropy search =
        WeightedEntropy.of((1 << bitWidth) - (withZero ? 1 : 0))
            .withSigns(signs)
            .withSampleLimit(SAMPLE);
    ImmutableList<Codebook> books =
        perChannel
            ? search.choosePerChannel(weights.values(), granularity, weights.shape())
            : ImmutableList.copyOf(Collections.nCopies(channels, search.choose(weights.values())));
    return books.stream()
        .map(book -> snapped(book.withBitWidth(bitWidth)))
        .collect(toImmutableList());
  }

  private Codebook snapped(Codebook book) {
    double largest = Math.max(Math.abs(book.minValue()), Math.abs(book.maxValue()));
    return gridBits.isEmpty() || largest == 0
        ? book
        : book.snappedTo(FixedPointFormat.covering(largest, gridBits.getAsInt()));
  }

  /**
   * Returns the codebooks of the layers' weights, by the name of the parameter.
   *
   * @param model tells which weights are codes, of which widths and channels
   * @param network with the float weights, of the form of the model
   */
  public ImmutableMap<String, ImmutableList<NumberFormat>> choose(
      QuantizedModel model, Dl4jNetwork network, Predicate<String> layers) {
    Map<String, Dl4jParameter> values = new HashMap<>();
    network.layers().forEach(layer -> layer.parameters().forEach(p -> values.put(p.name(), p)));
    ImmutableMap.Builder<String, ImmutableList<NumberFormat>> books = ImmutableMap.builder();
    for (QuantizedLayer layer : model.layers()) {
      for (QuantizedParameter parameter : layer.parameters()) {
        Dl4jParameter value = values.get(layer.name() + "/" + parameter.key());
        if (layers.test(layer.name())
            && value != null
            && parameter.role() == ParameterRole.WEIGHT
            && parameter.codes().isPresent()) {
          QuantizedTensor codes = parameter.codes().get();
          Tensor weights = value.tensor().reshape(codes.shape());
          books.put(value.name(), choose(weights, codes.granularity(), codes.bitWidth()));
        }
      }
    }
    return books.buildOrThrow();
  }

  /**
   * Returns a model whose weights in the layers of the given names have codebooks.
   *
   * @param network with the float weights, of the form of the model: folded if activations are
   *     codes
   */
  public QuantizedModel apply(QuantizedModel model, Dl4jNetwork network, Predicate<String> layers) {
    QuantizedModel coded = model.withValues(network, choose(model, network, layers));
    Provenance from = coded.provenance();
    return coded.with(from.ofWeights(from.sourceSha256(), named(from.weightStrategy())));
  }

  /** Returns the name of a strategy with levels of weighted entropy in place of some formats. */
  static String named(String strategy) {
    String own = ", weighted entropy";
    return strategy.endsWith(own) ? strategy : strategy + own;
  }
}
