package org.dl4jquant.convert;

import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableMap;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.dl4jquant.dl4j.RecurrentCells;
import org.dl4jquant.dl4j.RecurrentCells.Product;
import org.dl4jquant.execute.InputPatches;
import org.dl4jquant.format.Granularity;
import org.dl4jquant.format.NumberFormat;
import org.dl4jquant.graph.Dense;
import org.dl4jquant.graph.Shape;
import org.dl4jquant.tensor.QuantizedTensor;
import org.dl4jquant.tensor.Tensor;

/**
 * Rounds the weights of a recurrent layer as {@link AdaptiveRounding} does those of other layers:
 * the weights of the inputs for what they will see, those of the states for the states of the float
 * network. Biases stay as they are.
 */
final class RecurrentRounding {
  private final RecurrentCells exact;
  private final Function<String, Optional<QuantizedTensor>> nearest;
  private final Map<String, QuantizedTensor> codes = new HashMap<>();
  private RecurrentCells rounded;

  /**
   * Prepares a layer.
   *
   * @param exact the layer of the float network
   * @param rounded the same with weights that are rounded to the nearest code
   * @param nearest the codes of a weight by its key; nothing if it stays as it is
   */
  RecurrentRounding(
      RecurrentCells exact,
      RecurrentCells rounded,
      Function<String, Optional<QuantizedTensor>> nearest) {
    this.exact = exact;
    this.rounded = rounded;
    this.nearest = nearest;
  }

  /**
   * Returns the new codes by the keys of the weights.
   *
   * @param wanted the input of the float network
   * @param seen the input that the layer will see
   */
  ImmutableMap<String, QuantizedTensor> round(Tensor wanted, Tensor seen) {
    round(exact.ofInputs(wanted), rounded.ofInputs(seen));
    ImmutableList<Product> states = exact.ofStates(wanted);
    round(states, states); // to fit states that have drifted would damp the layer
    return ImmutableMap.copyOf(codes);
  }

  /** Returns the layer as it has become. */
  RecurrentCells rounded() {
    return rounded;
  }

  private void round(ImmutableList<Product> wanted, ImmutableList<Product> seen) {
    Map<String, Tensor> weights = new HashMap<>();
    for (int i = 0; i < wanted.size(); i++) {
      Product product = wanted.get(i);
      Tensor met = seen.get(i).met();
      nearest
          .apply(product.key())
          .map(own -> round(product, met, own))
          .ifPresent(
              own -> {
                codes.put(product.key(), own);
                weights.put(product.key(), own.dequantize());
              });
    }
    rounded = rounded.with(weights);
  }

  private QuantizedTensor round(Product product, Tensor seen, QuantizedTensor own) {
    Tensor weight = Objects.requireNonNull(exact.parameters().get(product.key()));
    int inputs = weight.size(0);
    int all = weight.size(1);
    int columns = product.columns();
    float[] turned = new float[columns * inputs];
    int[] turnedCodes = new int[columns * inputs];
    int[] ownCodes = own.codes();
    for (int i = 0; i < turned.length; i++) {
      int from = i % inputs * all + i / inputs;
      turned[i] = weight.values()[from];
      turnedCodes[i] = ownCodes[from];
    }
    NumberFormat[] formats =
        IntStream.range(0, all)
            .mapToObj(column -> own.formats().get(own.formats().size() == 1 ? 0 : column))
            .toArray(NumberFormat[]::new);
    Granularity each = Granularity.perChannel(0);
    ImmutableList<NumberFormat> some = ImmutableList.copyOf(formats).subList(0, columns);
    Dense sums = new Dense(Tensor.of(turned, columns, inputs), Tensor.zeros(columns));
    InputPatches patches = InputPatches.of(sums, Shape.of(inputs), Shape.of(columns));
    QuantizedTensor best =
        new AdaptiveRounding(
                sums, QuantizedTensor.of(turnedCodes, each, some, columns, inputs), false)
            .round(patches, product.met(), seen)
            .weight();
    int[] bestCodes = best.codes();
    for (int i = 0; i < bestCodes.length; i++) {
      ownCodes[i % inputs * all + i / inputs] = bestCodes[i];
    }
    for (int column = 0; column < columns; column++) {
      formats[column] = best.formats().get(column);
    }
    return QuantizedTensor.of(
        ownCodes, Granularity.perChannel(1), ImmutableList.copyOf(formats), inputs, all);
  }
}
