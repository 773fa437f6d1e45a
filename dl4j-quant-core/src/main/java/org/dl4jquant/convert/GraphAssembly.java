package org.dl4jquant.convert;

import com.google.common.collect.ImmutableMap;
import java.util.HashMap;
import java.util.Map;
import java.util.function.ToIntFunction;
import org.dl4jquant.dl4j.GraphReader;
import org.dl4jquant.dl4j.NetworkImage;
import org.dl4jquant.format.AffineParameters;
import org.dl4jquant.format.Rounding;
import org.dl4jquant.graph.ActivationFormat;
import org.dl4jquant.graph.Node;
import org.dl4jquant.graph.QuantizedGraph;
import org.dl4jquant.graph.QuantizedGraph.Carrier;
import org.dl4jquant.graph.QuantizedWeights;
import org.dl4jquant.graph.Weighted;
import org.dl4jquant.internal.Checks;
import org.dl4jquant.tensor.QuantizedTensor;
import org.dl4jquant.tensor.Tensor;

/** Makes the quantized graph of a model. */
final class GraphAssembly {
  /** A float holds every number of this width, so that no bias changes on its way to DL4J. */
  static final int MAX_BIAS_BITS = 25;

  /**
   * A bias that dwarfs all products, as where weights have died, makes the grid of its sums coarser
   * rather than wider than this.
   */
  private static final int MAX_SUMMED_BIAS_BITS = 48;

  private final NetworkImage image;
  private final IntegerWeights weights;
  private final ImmutableMap<String, ActivationFormat> formats;
  private final ToIntFunction<String> biasBits;
  private final Map<String, Tensor> biases = new HashMap<>();

  /**
   * Prepares a graph.
   *
   * @param image of the network whose weights are the numbers that the codes stand for
   * @param biasBits of a layer
   */
  GraphAssembly(
      NetworkImage image,
      IntegerWeights weights,
      ImmutableMap<String, ActivationFormat> formats,
      ToIntFunction<String> biasBits) {
    this.image = image;
    this.weights = weights;
    this.formats = formats;
    this.biasBits = biasBits;
  }

  /** Returns an assembly that takes these biases, by node, in place of the graph's. */
  GraphAssembly withBiases(Map<String, Tensor> others) {
    biases.putAll(others);
    return this;
  }

  static QuantizedGraph assemble(QuantizedModel model) {
    NetworkImage image = GraphReader.read(model.plainNetwork());
    return new GraphAssembly(
            image,
            new IntegerWeights(image, model.layers()),
            model.activations(),
            layer -> model.plan().of(layer).biasBits())
        .graph();
  }

  /** Returns the graph; a weighted operation computes in integers if its input is codes. */
  QuantizedGraph graph() {
    QuantizedGraph.Builder builder = QuantizedGraph.builder(image.graph());
    formats.forEach(builder::format);
    QuantizedGraph carriers = builder.build();
    for (Node node : image.graph().nodes()) {
      if (node.op() instanceof Weighted op && carriers.carrier(node.input()) == Carrier.CODES) {
        weights
            .of(node.name())
            .ifPresent(
                codes ->
                    builder.weights(node.name(), weights(op, codes, input(carriers, node), node)));
      }
    }
    return builder.build();
  }

  private static ActivationFormat input(QuantizedGraph graph, Node node) {
    return graph.format(node.input()).orElseThrow();
  }

  private QuantizedWeights weights(
      Weighted op, QuantizedTensor codes, ActivationFormat input, Node node) {
    Tensor bias = biases.getOrDefault(node.name(), op.bias());
    for (float value : bias.values()) {
      Checks.that(
          Float.isFinite(value), "corrected bias of '" + node.name() + "'", "be finite", value);
    }
    if (input.formats().get(0) instanceof AffineParameters) {
      return QuantizedWeights.onProductGrid(
          op.withParameters(op.weight(), bias), codes, input, Rounding.HALF_EVEN);
    }
    int bits = Math.min(MAX_BIAS_BITS, biasBits.applyAsInt(node.layer()));
    Weighted own = op.withParameters(op.weight(), rounded(bias, bits));
    return QuantizedWeights.onFinestGrid(
        own, codes, input, Rounding.HALF_EVEN, MAX_SUMMED_BIAS_BITS);
  }

  /** Gives every bias as many significant bits as it may have, sign included. */
  private static Tensor rounded(Tensor bias, int bits) {
    float[] values = bias.values().clone();
    for (int c = 0; c < values.length; c++) {
      values[c] = (float) BiasGrid.significant(values[c], bits);
    }
    return Tensor.of(values, values.length);
  }
}
