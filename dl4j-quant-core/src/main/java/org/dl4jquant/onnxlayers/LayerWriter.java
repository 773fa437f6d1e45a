package org.dl4jquant.onnxlayers;

import java.util.List;
import java.util.Map;
import org.deeplearning4j.nn.conf.CNN2DFormat;
import org.deeplearning4j.nn.conf.RNNFormat;
import org.deeplearning4j.nn.conf.layers.EmbeddingLayer;
import org.deeplearning4j.nn.conf.layers.EmbeddingSequenceLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.LocalResponseNormalization;
import org.deeplearning4j.nn.conf.layers.PReLULayer;
import org.deeplearning4j.nn.conf.layers.misc.ElementWiseMultiplicationLayer;
import org.dl4jquant.graph.Shape;
import org.dl4jquant.internal.Checks;
import org.nd4j.linalg.activations.IActivation;

/** Writes layers. */
final class LayerWriter {
  private static final String WEIGHT = "W";
  private static final String BIAS = "b";
  private static final long INT64 = 7;

  private final Pen pen;
  private final Constants constants;
  private final boolean perStep;

  /**
   * A writer of one layer.
   *
   * @param perStep whether the value has the steps of a sequence on the axis after the batch
   */
  LayerWriter(Pen pen, Constants constants, boolean perStep) {
    this.pen = pen;
    this.constants = constants;
    this.perStep = perStep;
  }

  private String x() {
    return pen.target().inputs().get(0);
  }

  private Shape in() {
    return pen.target().inputShapes().get(0);
  }

  String write() {
    Layer kind = constants.layer().configuration();
    if (kind instanceof ElementWiseMultiplicationLayer layer) {
      return scaled(layer);
    }
    Checks.that(!perStep, "input", "be no steps of sequences taken one by one", in());
    if (kind instanceof EmbeddingLayer layer) {
      return embedded(layer);
    }
    if (kind instanceof EmbeddingSequenceLayer layer) {
      return embedded(layer);
    }
    if (kind instanceof PReLULayer) {
      long[] shape = ofElements(constants.parameter(WEIGHT).shape());
      return pen.node("PRelu", x(), constants.floats(WEIGHT, shape));
    }
    if (kind instanceof LocalResponseNormalization layer) {
      return normalized(layer);
    }
    return new RecurrentWriter(pen, constants).write(kind);
  }

  /** Slopes may have an axis of size 1 for the batch. */
  private long[] ofElements(int... shape) {
    int extra = shape.length - in().rank();
    Checks.that(extra == 0 || (extra == 1 && shape[0] == 1), "slopes", "fit " + in(), shape.length);
    long[] sizes = new long[in().rank()];
    for (int i = 0; i < sizes.length; i++) {
      sizes[i] = shape[i + extra];
    }
    return sizes;
  }

  private String scaled(ElementWiseMultiplicationLayer layer) {
    long size = layer.getNOut();
    String product = pen.node("Mul", x(), constants.weight(WEIGHT, 0, i -> i, size));
    return activated(
        layer.getActivationFn(), pen.node("Add", product, constants.floats(BIAS, size)));
  }

  private String activated(IActivation activation, String x) {
    return new FunctionWriter(pen).write(activation, x);
  }

  private static void requireChannelsFirst(CNN2DFormat format) {
    Checks.that(format == CNN2DFormat.NCHW, "format", "be NCHW", format);
  }

  /** DL4J looks at n / 2 neighbors on each side, and does not divide alpha by their number. */
  private String normalized(LocalResponseNormalization layer) {
    requireChannelsFirst(layer.getDataFormat());
    long size = 2 * ((long) layer.getN() / 2) + 1;
    return pen.target()
        .node(
            "LRN",
            List.of(x()),
            Map.of(
                "size", size,
                "alpha", (float) (layer.getAlpha() * size),
                "beta", (float) layer.getBeta(),
                "bias", (float) layer.getK()));
  }

  /** Returns the rows that the indices {@code [batch, n]} name, {@code [batch, n, size]}. */
  private String rows(String indices, long rows, long size, boolean bias) {
    String table = constants.weight(WEIGHT, 1, i -> i, rows, size);
    String whole = pen.target().node("Cast", List.of(indices), Map.of("to", INT64));
    String found = pen.node("Gather", table, whole);
    return bias ? pen.node("Add", found, constants.floats(BIAS, size)) : found;
  }

  private String embedded(EmbeddingLayer layer) {
    Checks.that(in().rank() == 1 && in().size(0) == 1, "input", "be an index per example", in());
    boolean bias = layer.isHasBias() && constants.has(BIAS);
    String found = rows(x(), layer.getNIn(), layer.getNOut(), bias);
    return activated(layer.getActivationFn(), pen.squeezed(found, 1));
  }

  private String embedded(EmbeddingSequenceLayer layer) {
    boolean column = in().rank() == 2;
    Checks.that(
        in().rank() == 1 || (column && in().size(0) == 1), "input", "be indices [time]", in());
    String indices = column ? pen.squeezed(x(), 1) : x();
    boolean bias = layer.isHasBias() && constants.has(BIAS);
    String found = rows(indices, layer.getNIn(), layer.getNOut(), bias);
    String activated = activated(layer.getActivationFn(), found);
    return layer.getOutputFormat() == RNNFormat.NWC
        ? activated
        : pen.transposed(activated, 0, 2, 1);
  }
}
