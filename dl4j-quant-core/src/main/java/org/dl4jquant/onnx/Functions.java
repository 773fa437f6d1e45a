package org.dl4jquant.onnx;

import java.util.List;
import org.dl4jquant.graph.ScalarFunction;

/** Element-wise functions as ONNX nodes. */
final class Functions {
  private static final double SELU_ALPHA = 1.6732632423543772;
  private static final double SELU_GAMMA = 1.0507009873554805;

  private final GraphWriter writer;
  private final String x;
  private final String y;

  private Functions(GraphWriter writer, String x, String y) {
    this.writer = writer;
    this.x = x;
    this.y = y;
  }

  /** Writes {@code y = function(x)}. */
  static void write(GraphWriter writer, ScalarFunction function, String x, String y) {
    new Functions(writer, x, y).write(function);
  }

  private void write(ScalarFunction function) {
    if (function instanceof ScalarFunction.Clip clip) {
      clip(clip);
    } else if (function instanceof ScalarFunction.LeakyRelu leaky) {
      unary("LeakyRelu", new Attributes().number("alpha", leaky.slope()));
    } else if (function instanceof ScalarFunction.Elu elu) {
      unary("Elu", new Attributes().number("alpha", elu.alpha()));
    } else if (function instanceof ScalarFunction.HardSigmoid hard) {
      unary(
          "HardSigmoid",
          new Attributes().number("alpha", hard.slope()).number("beta", hard.offset()));
    } else {
      smooth((ScalarFunction.Smooth) function);
    }
  }

  private void unary(String type, Attributes attributes) {
    writer.node(type, List.of(x), y, attributes);
  }

  private void clip(ScalarFunction.Clip clip) {
    boolean below = Double.isInfinite(clip.lowest());
    boolean above = Double.isInfinite(clip.highest());
    if (below && above) {
      unary("Identity", Attributes.NONE);
    } else if (clip.lowest() == 0 && above) {
      unary("Relu", Attributes.NONE);
    } else {
      String lowest = below ? GraphWriter.ABSENT : bound("lowest", clip.lowest());
      List<String> inputs =
          above ? List.of(x, lowest) : List.of(x, lowest, bound("highest", clip.highest()));
      writer.node("Clip", inputs, y);
    }
  }

  private String bound(String which, double value) {
    return writer.scalar(y + "/" + which, (float) value);
  }

  private void smooth(ScalarFunction.Smooth function) {
    switch (function) {
      case SIGMOID -> unary("Sigmoid", Attributes.NONE);
      case TANH -> unary("Tanh", Attributes.NONE);
      case SOFTPLUS -> unary("Softplus", Attributes.NONE);
      case SOFTSIGN -> unary("Softsign", Attributes.NONE);
      case SELU ->
          unary("Selu", new Attributes().number("alpha", SELU_ALPHA).number("gamma", SELU_GAMMA));
      case SWISH -> writer.node("Mul", List.of(x, of("Sigmoid", x)), y);
      case MISH -> writer.node("Mul", List.of(x, of("Tanh", of("Softplus", x))), y);
      case CUBE -> {
        String square = writer.node("Mul", List.of(x, x), writer.unique(y + "/square"));
        writer.node("Mul", List.of(square, x), y);
      }
      case RECTIFIED_TANH -> writer.node("Relu", List.of(of("Tanh", x)), y);
    }
  }

  private String of(String type, String value) {
    return writer.node(type, List.of(value), writer.unique(y + "/" + type));
  }
}
