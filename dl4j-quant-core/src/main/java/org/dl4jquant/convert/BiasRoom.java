package org.dl4jquant.convert;

import com.google.common.collect.ImmutableMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.IntStream;
import org.dl4jquant.format.AffineParameters;
import org.dl4jquant.format.Rounding;
import org.dl4jquant.graph.ActivationFormat;
import org.dl4jquant.graph.NetworkGraph;
import org.dl4jquant.graph.Node;
import org.dl4jquant.graph.QuantizedGraph;
import org.dl4jquant.graph.Weighted;
import org.dl4jquant.tensor.QuantizedTensor;
import org.dl4jquant.tensor.Tensor;

/**
 * Weights so small that 32 bits do not hold their bias in steps of the products, as where training
 * has left next to nothing of a channel: they get a coarser scale, because beside such a bias they
 * do not count.
 */
final class BiasRoom {
  private static final double LARGEST_CODE = 0x1p30; // half of what fits, for all that follows

  private BiasRoom() {}

  /** Returns the codes of the nodes that need a coarser scale somewhere. */
  static ImmutableMap<String, QuantizedTensor> coarsened(
      NetworkGraph graph,
      IntegerWeights codes,
      Map<String, ActivationFormat> formats,
      Map<String, Tensor> biases) {
    QuantizedGraph.Builder builder = QuantizedGraph.builder(graph);
    formats.forEach(builder::format);
    QuantizedGraph values = builder.build();
    ImmutableMap.Builder<String, QuantizedTensor> coarser = ImmutableMap.builder();
    for (Node node : graph.nodes()) {
      if (node.op() instanceof Weighted op) {
        values
            .format(node.input())
            .map(input -> input.formats().get(0))
            .filter(AffineParameters.class::isInstance)
            .flatMap(
                input ->
                    codes
                        .of(node.name())
                        .flatMap(
                            own ->
                                coarsened(
                                    op,
                                    own,
                                    ((AffineParameters) input).scale(),
                                    Objects.requireNonNull(biases.get(node.name())))))
            .ifPresent(found -> coarser.put(node.name(), found));
      }
    }
    return coarser.buildOrThrow();
  }

  private static Optional<QuantizedTensor> coarsened(
      Weighted op, QuantizedTensor codes, float input, Tensor bias) {
    float[] least = new float[codes.formats().size()];
    for (int c = 0; c < bias.length(); c++) {
      int own = least.length == 1 ? 0 : c;
      least[own] =
          Math.max(least[own], (float) (Math.abs(bias.values()[c]) / LARGEST_CODE / input));
    }
    List<AffineParameters> formats =
        IntStream.range(0, least.length)
            .mapToObj(c -> coarser((AffineParameters) codes.formats().get(c), least[c]))
            .toList();
    return formats.equals(codes.formats())
        ? Optional.empty()
        : Optional.of(
            QuantizedTensor.quantize(
                op.weight(), codes.granularity(), formats, Rounding.HALF_EVEN));
  }

  private static AffineParameters coarser(AffineParameters format, float least) {
    return format.scale() < least ? format.withScale(least) : format;
  }
}
