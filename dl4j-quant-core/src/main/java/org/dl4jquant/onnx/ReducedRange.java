package org.dl4jquant.onnx;

import java.util.ArrayList;
import java.util.List;
import org.dl4jquant.format.AffineParameters;
import org.dl4jquant.format.FixedPointFormat;
import org.dl4jquant.format.Granularity;
import org.dl4jquant.format.NumberFormat;
import org.dl4jquant.graph.AccumulatorFormat;
import org.dl4jquant.graph.ActivationFormat;
import org.dl4jquant.graph.Node;
import org.dl4jquant.graph.QuantizedGraph;
import org.dl4jquant.graph.QuantizedWeights;
import org.dl4jquant.graph.Weighted;
import org.dl4jquant.tensor.QuantizedTensor;

/**
 * Weights of 7 bits instead of 8, for x86 processors without VNNI: their sums of two products do
 * not exceed 16 bits then (255 * 64 * 2 = 32640), whatever the activations.
 */
public final class ReducedRange {
  private static final int BITS = 7;
  private static final int BIAS_BITS = 32;

  private ReducedRange() {}

  /**
   * Returns the graph with the weights that have 8 bits quantized to 7 from the float weights, each
   * output channel to the finest format that covers it, and the biases on the new grids. It is
   * another quantization: compare it with its own integer network.
   */
  public static QuantizedGraph sevenBitWeights(QuantizedGraph quantized) {
    QuantizedGraph.Builder builder =
        QuantizedGraph.builder(quantized.graph()).rounding(quantized.rounding());
    for (Node node : quantized.graph().nodes()) {
      String name = node.name();
      quantized.format(name).ifPresent(format -> builder.format(name, format));
      quantized
          .weights(name)
          .ifPresent(
              weights ->
                  builder.weights(
                      name,
                      weights.weight().bitWidth() == Byte.SIZE
                          ? reduced(quantized, node, (Weighted) node.op(), weights.accumulator())
                          : weights));
    }
    return builder.build();
  }

  private static QuantizedWeights reduced(
      QuantizedGraph quantized, Node node, Weighted op, AccumulatorFormat sums) {
    boolean affine = sums instanceof AccumulatorFormat.Affine;
    float[] values = op.weight().values();
    int perChannel = values.length / op.outputChannels();
    List<NumberFormat> formats = new ArrayList<>();
    for (int c = 0; c < op.outputChannels(); c++) {
      float max = 0;
      for (int i = 0; i < perChannel; i++) {
        max = Math.max(max, Math.abs(values[c * perChannel + i]));
      }
      formats.add(affine ? AffineParameters.symmetric(max, BITS) : covering(max));
    }
    QuantizedTensor codes =
        QuantizedTensor.quantize(
            op.weight(), Granularity.perChannel(0), formats, quantized.rounding());
    ActivationFormat input = quantized.format(node.input()).orElseThrow();
    return affine
        ? QuantizedWeights.onProductGrid(op, codes, input, quantized.rounding())
        : QuantizedWeights.onFinestGrid(op, codes, input, quantized.rounding(), BIAS_BITS);
  }

  private static FixedPointFormat covering(float max) {
    return max == 0 ? FixedPointFormat.signed(BITS, 0) : FixedPointFormat.covering(max, BITS);
  }
}
