package org.dl4jquant.convert;

import static com.google.common.collect.ImmutableList.toImmutableList;

import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableMap;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.deeplearning4j.nn.params.BatchNormalizationParamInitializer;
import org.dl4jquant.dl4j.NetworkImage;
import org.dl4jquant.dl4j.WeightSource;
import org.dl4jquant.format.Codebook;
import org.dl4jquant.format.Granularity;
import org.dl4jquant.format.NumberFormat;
import org.dl4jquant.format.Rounding;
import org.dl4jquant.graph.ChannelAffine;
import org.dl4jquant.graph.Node;
import org.dl4jquant.graph.Weighted;
import org.dl4jquant.internal.Checks;
import org.dl4jquant.tensor.QuantizedTensor;

/**
 * The codes of a model's parameters in the layout of the graph: the same numbers, found again by
 * quantizing the numbers that they stand for with the same formats.
 */
final class IntegerWeights {
  private final NetworkImage image;
  private final ImmutableMap<String, QuantizedParameter> parameters;

  /**
   * The weights of a model.
   *
   * @param image of the network whose parameters are the numbers that the codes stand for
   * @param layers with the codes
   */
  IntegerWeights(NetworkImage image, ImmutableList<QuantizedLayer> layers) {
    this.image = image;
    Map<String, QuantizedParameter> byName = new HashMap<>();
    for (QuantizedLayer layer : layers) {
      for (QuantizedParameter parameter : layer.parameters()) {
        byName.put(layer.name() + "/" + parameter.key(), parameter);
      }
    }
    this.parameters = ImmutableMap.copyOf(byName);
  }

  /** Returns where the parameters of a weighted node come from, batch normalization included. */
  static Optional<WeightSource> source(NetworkImage image, Node node) {
    WeightSource known = image.weights().get(node.name());
    if (known != null || !(node.op() instanceof ChannelAffine)) {
      return Optional.ofNullable(known);
    }
    return Optional.of(
        new WeightSource(
            node.layer(),
            BatchNormalizationParamInitializer.GAMMA,
            Optional.of(BatchNormalizationParamInitializer.BETA)));
  }

  /** Returns the weights of a node, if they are integers that a sum can use. */
  Optional<QuantizedTensor> of(String name) {
    Node node = image.graph().node(name);
    if (!(node.op() instanceof Weighted op)) {
      return Optional.empty();
    }
    return source(image, node)
        .map(from -> parameters.get(from.layer() + "/" + from.weight()))
        .flatMap(QuantizedParameter::codes)
        .flatMap(codes -> IntegerFormats.of(inGraphOrder(codes)))
        .filter(formats -> formats.size() == 1 || formats.size() == op.outputChannels())
        .map(formats -> arranged(name, formats, op));
  }

  /** Returns the same codes with boundaries in the middle between levels, if they are levels. */
  static QuantizedTensor withNearestLevels(QuantizedTensor codes) {
    ImmutableList<NumberFormat> nearest =
        codes.formats().stream()
            .map(format -> format instanceof Codebook book ? book.toNearest() : format)
            .collect(toImmutableList());
    return QuantizedTensor.of(codes.codes(), codes.granularity(), nearest, codes.shape());
  }

  /**
   * Returns the weights of a node as those of its codes that can be rounded to: where they are
   * codebooks on a grid, the levels, with boundaries in the middle between them.
   */
  Optional<QuantizedTensor> choices(String name) {
    Optional<QuantizedTensor> integers = of(name);
    Node node = image.graph().node(name);
    Optional<QuantizedTensor> codes =
        source(image, node)
            .map(from -> parameters.get(from.layer() + "/" + from.weight()))
            .flatMap(QuantizedParameter::codes);
    if (integers.isEmpty() || !(codes.orElseThrow().formats().get(0) instanceof Codebook)) {
      return integers;
    }
    ImmutableList<NumberFormat> levels = inGraphOrder(withNearestLevels(codes.get()));
    return Optional.of(arranged(name, levels, (Weighted) node.op()));
  }

  /**
   * Returns the formats in the order of the graph's output channels. Only the depthwise kernels of
   * a separable convolution, {@code [multiplier, in, height, width]}, have them in another order.
   */
  private static ImmutableList<NumberFormat> inGraphOrder(QuantizedTensor codes) {
    if (!codes.granularity().equals(Granularity.perChannel(0, 1))) {
      return codes.formats();
    }
    int multiplier = codes.shape()[0];
    int in = codes.shape()[1];
    ImmutableList.Builder<NumberFormat> formats = ImmutableList.builder();
    for (int channel = 0; channel < in; channel++) {
      for (int m = 0; m < multiplier; m++) {
        formats.add(codes.formats().get(m * in + channel));
      }
    }
    return formats.build();
  }

  private static QuantizedTensor arranged(
      String node, ImmutableList<NumberFormat> formats, Weighted op) {
    Granularity granularity =
        formats.size() == op.outputChannels() ? Granularity.perChannel(0) : Granularity.perTensor();
    QuantizedTensor found =
        QuantizedTensor.quantize(op.weight(), granularity, formats, Rounding.HALF_EVEN);
    Checks.that(
        Arrays.equals(found.dequantize().values(), op.weight().values()),
        "weights of '" + node + "'",
        "be the numbers that their codes stand for",
        formats.stream().distinct().collect(toImmutableList()));
    return found;
  }
}
