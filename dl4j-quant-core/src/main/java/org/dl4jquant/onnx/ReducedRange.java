package org.dl4jquant.onnx;

import java.util.ArrayList;
import java.util.List;
import org.dl4jquant.format.FixedPointFormat;
import org.dl4jquant.format.Granularity;
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
                          ? reduced(quantized, node, (Weighted) node.op())
                          : weights));
    }
    return builder.build();
  }

  private static QuantizedWeights reduced(QuantizedGraph quantized, Node node, Weighted op) {
    float[] values = op.weight().values();
    int perChannel = values.length / op.outputChannels();
    List<FixedPointFormat> formats = new ArrayList<>();
    for (int c = 0; c < op.outputChannels(); c++) {
      float max = 0;
      for (int i = 0; i < perChannel; i++) {
        max = Math.max(max, Math.abs(values[c * perChannel + i]));
      }
      formats.add(
          max == 0 ? FixedPointFormat.signed(BITS, 0) : FixedPointFormat.covering(max, BITS));
    }
    QuantizedTensor codes =
        QuantizedTensor.quantize(
            op.weight(), Granularity.perChannel(0), formats, quantized.rounding());
    return QuantizedWeights.onFinestGrid(
        op, codes, quantized.format(node.input()).orElseThrow(), quantized.rounding(), BIAS_BITS);
  }
}
