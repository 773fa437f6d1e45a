package org.dl4jquant.onnxlayers;

import com.google.common.collect.ImmutableList;
import com.google.common.primitives.ImmutableDoubleArray;
import java.util.Optional;
import org.dl4jquant.dl4j.Activations;
import org.dl4jquant.graph.ScalarFunction;
import org.nd4j.linalg.activations.IActivation;

/**
 * The functions inside a recurrent cell, by ONNX's names.
 *
 * @param first the first constants of those functions that take one, in order
 * @param second the second constants
 */
record CellFunctions(
    ImmutableList<String> kinds, ImmutableDoubleArray first, ImmutableDoubleArray second) {
  private static CellFunctions one(String kind) {
    return new CellFunctions(
        ImmutableList.of(kind), ImmutableDoubleArray.of(), ImmutableDoubleArray.of());
  }

  private static CellFunctions one(String kind, double alpha) {
    return new CellFunctions(
        ImmutableList.of(kind), ImmutableDoubleArray.of(alpha), ImmutableDoubleArray.of());
  }

  private static CellFunctions one(String kind, double alpha, double beta) {
    return new CellFunctions(
        ImmutableList.of(kind), ImmutableDoubleArray.of(alpha), ImmutableDoubleArray.of(beta));
  }

  /**
   * Returns the functions of a cell.
   *
   * @throws IllegalArgumentException if ONNX's cells do not know one of them
   */
  static CellFunctions of(IActivation... activations) {
    ImmutableList.Builder<String> kinds = ImmutableList.builder();
    ImmutableDoubleArray.Builder first = ImmutableDoubleArray.builder();
    ImmutableDoubleArray.Builder second = ImmutableDoubleArray.builder();
    for (IActivation activation : activations) {
      CellFunctions one =
          known(activation)
              .orElseThrow(
                  () ->
                      new IllegalArgumentException(
                          "ONNX's recurrent cells do not know the function "
                              + activation.getClass().getSimpleName()));
      kinds.addAll(one.kinds());
      first.addAll(one.first());
      second.addAll(one.second());
    }
    return new CellFunctions(kinds.build(), first.build(), second.build());
  }

  private static Optional<CellFunctions> known(IActivation activation) {
    return Activations.isIdentity(activation)
        ? Optional.of(one("Affine", 1, 0))
        : Activations.function(activation).flatMap(CellFunctions::known);
  }

  private static Optional<CellFunctions> known(ScalarFunction function) {
    if (function instanceof ScalarFunction.Smooth smooth) {
      return switch (smooth) {
        case SIGMOID -> Optional.of(one("Sigmoid"));
        case TANH -> Optional.of(one("Tanh"));
        case SOFTPLUS -> Optional.of(one("Softplus"));
        case SOFTSIGN -> Optional.of(one("Softsign"));
        default -> Optional.empty();
      };
    }
    if (function.equals(ScalarFunction.relu())) {
      return Optional.of(one("Relu"));
    }
    if (function instanceof ScalarFunction.LeakyRelu leaky) {
      return Optional.of(one("LeakyRelu", leaky.slope()));
    }
    if (function instanceof ScalarFunction.Elu elu) {
      return Optional.of(one("Elu", elu.alpha()));
    }
    return function instanceof ScalarFunction.HardSigmoid hard
        ? Optional.of(one("HardSigmoid", hard.slope(), hard.offset()))
        : Optional.empty();
  }

  String[] names() {
    return kinds.toArray(String[]::new);
  }

  float[] alphas() {
    return floats(first);
  }

  float[] betas() {
    return floats(second);
  }

  private static float[] floats(ImmutableDoubleArray values) {
    float[] floats = new float[values.length()];
    for (int i = 0; i < floats.length; i++) {
      floats[i] = (float) values.get(i);
    }
    return floats;
  }
}
