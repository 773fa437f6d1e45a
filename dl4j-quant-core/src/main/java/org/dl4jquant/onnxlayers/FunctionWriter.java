package org.dl4jquant.onnxlayers;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.dl4jquant.dl4j.Activations;
import org.dl4jquant.graph.ScalarFunction;
import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.activations.impl.ActivationGELU;
import org.nd4j.linalg.activations.impl.ActivationRReLU;
import org.nd4j.linalg.activations.impl.ActivationRationalTanh;
import org.nd4j.linalg.activations.impl.ActivationReLU;
import org.nd4j.linalg.activations.impl.ActivationThresholdedReLU;

/** Writes activation functions of single numbers. */
record FunctionWriter(Pen pen) {
  private static final double GELU_FACTOR = 1.702;
  private static final double GELU_CUBE = 0.044715;
  private static final double TANH_SCALE = 1.7159;
  private static final double TANH_FOURTH = 1.41645;

  /** Returns the function of {@code x}; {@code x} itself for an identity. */
  String write(IActivation activation, String x) {
    if (Activations.isIdentity(activation)) {
      return x;
    }
    Optional<ScalarFunction> known = Activations.function(activation);
    if (known.isPresent()) {
      return pen.target().function(known.get(), x);
    }
    if (activation instanceof ActivationGELU gelu) {
      return gelu.isPrecise() ? preciseGelu(x) : gelu(x);
    }
    if (activation instanceof ActivationRReLU leaky) {
      return randomRelu(leaky, x);
    }
    if (activation instanceof ActivationThresholdedReLU threshold) {
      float alpha = (float) threshold.getTheta();
      return pen.target().node("ThresholdedRelu", List.of(x), Map.of("alpha", alpha));
    }
    if (activation.getClass() == ActivationRationalTanh.class) {
      return rationalTanh(x);
    }
    if (activation instanceof ActivationReLU relu) {
      return relu(relu, x);
    }
    throw new IllegalArgumentException(
        "nothing in ONNX is known for the function " + activation.getClass().getSimpleName());
  }

  private String gelu(String x) {
    return pen.node("Mul", x, pen.node("Sigmoid", pen.multiply(x, GELU_FACTOR)));
  }

  /** DL4J takes the third power of 0.044715 x, not of x alone. */
  private String preciseGelu(String x) {
    String scaled = pen.multiply(x, GELU_CUBE);
    String cube = pen.node("Mul", pen.node("Mul", scaled, scaled), scaled);
    String inner = pen.node("Add", x, cube);
    String tanh = pen.node("Tanh", pen.multiply(inner, Math.sqrt(2 / Math.PI)));
    return pen.node("Mul", pen.multiply(x, 0.5), pen.add(tanh, 1));
  }

  /** {@code 1.7159 tanh(2x/3)} with a rational function in place of the tangent. */
  private String rationalTanh(String x) {
    String y = pen.multiply(x, 2 / 3.0);
    String square = pen.node("Mul", y, y);
    String fourth = pen.multiply(pen.node("Mul", square, square), TANH_FOURTH);
    String low = pen.node("Add", pen.node("Abs", y), square);
    String sum = pen.add(pen.node("Add", low, fourth), 1);
    String rest = pen.node("Sub", pen.scalar(1), pen.node("Reciprocal", sum));
    return pen.multiply(pen.node("Mul", pen.node("Sign", y), rest), TANH_SCALE);
  }

  /** At inference, DL4J gives the mean slope itself for all that is less. */
  private String randomRelu(ActivationRReLU relu, String x) {
    return pen.node("Max", x, pen.scalar((relu.getL() + relu.getU()) / 2));
  }

  /** One with a threshold, or with both a slope and a limit. */
  private String relu(ActivationReLU relu, String x) {
    double slope = relu.getNegativeSlope() == null ? 0 : relu.getNegativeSlope();
    double threshold = relu.getThreshold() == null ? 0 : relu.getThreshold();
    String below = pen.multiply(pen.add(x, -threshold), slope);
    String above = pen.node("GreaterOrEqual", x, pen.scalar(threshold));
    String chosen = pen.node("Where", above, x, below);
    return relu.getMax() == null ? chosen : pen.node("Min", chosen, pen.scalar(relu.getMax()));
  }
}
