package org.dl4jquant.stats;

import com.google.common.collect.ImmutableList;
import java.util.Objects;
import org.dl4jquant.internal.Checks;

/**
 * How far the weights of one layer moved.
 *
 * @param layer the layer's name
 * @param frozen whether training left the layer alone on purpose
 * @param parameters its weight tensors, at least one, with different names
 */
public record LayerDifference(
    String layer, boolean frozen, ImmutableList<ParameterDifference> parameters) {
  public LayerDifference {
    Objects.requireNonNull(layer, "layer");
    Checks.that(!parameters.isEmpty(), "parameters of layer " + layer, "not be empty", parameters);
    long names = parameters.stream().map(ParameterDifference::name).distinct().count();
    Checks.that(
        names == parameters.size(),
        "parameters of layer " + layer,
        "have different names",
        parameters.stream().map(ParameterDifference::name).toList());
  }

  /** Returns the number of weights in all tensors. */
  public long weights() {
    return parameters.stream().mapToLong(ParameterDifference::weights).sum();
  }

  /** Returns the squared differences summed over weights and cycles. */
  public double squares() {
    return parameters.stream().mapToDouble(ParameterDifference::squares).sum();
  }

  /** Returns the squared differences of the last cycle. */
  public double lastSquares() {
    return parameters.stream().mapToDouble(ParameterDifference::lastSquares).sum();
  }

  /** Returns whether a weight was ever NaN or infinite. */
  public boolean nonFinite() {
    return parameters.stream().anyMatch(ParameterDifference::nonFinite);
  }

  LayerDifference combine(LayerDifference later, boolean laterHasCycles) {
    ImmutableList.Builder<ParameterDifference> sums = ImmutableList.builder();
    for (int p = 0; p < parameters.size(); p++) {
      sums.add(parameters.get(p).combine(later.parameters.get(p), laterHasCycles));
    }
    return new LayerDifference(layer, frozen && later.frozen, sums.build());
  }

  /** What must agree if two runs are of the same network, as {@code 0[W:7840/10]}. */
  String shape() {
    return layer
        + parameters.stream()
            .map(p -> p.name() + ":" + p.weights() + (p.channels() == 0 ? "" : "/" + p.channels()))
            .toList();
  }
}
