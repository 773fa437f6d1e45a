package org.dl4jquant.convert;

import com.google.common.collect.ImmutableList;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.dl4j.Dl4jLayer;
import org.dl4jquant.dl4j.Dl4jNetwork;
import org.dl4jquant.dl4j.Dl4jParameter;
import org.dl4jquant.internal.Checks;
import org.dl4jquant.precision.PrecisionPlan;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * A quantized network: the one source from which files, reports and runnable networks are derived.
 *
 * <p>Immutable and thread-safe, as long as nobody writes to the arrays of float parameters.
 *
 * @param graph whether the network is a ComputationGraph
 * @param configuration DL4J's configuration, as JSON
 * @param layers in topological order
 * @param plan which bit widths were asked for
 * @param provenance how it was made
 * @param attachments what travels with it
 */
public record QuantizedModel(
    boolean graph,
    String configuration,
    ImmutableList<QuantizedLayer> layers,
    PrecisionPlan plan,
    Provenance provenance,
    Attachments attachments) {
  /** Returns this model with other attachments. */
  public QuantizedModel with(Attachments other) {
    return new QuantizedModel(graph, configuration, layers, plan, provenance, other);
  }

  /**
   * Returns a new DL4J network whose parameters are the numbers that the codes stand for. It
   * computes in float, so it needs nothing of this library.
   *
   * @throws IllegalArgumentException if the parameters do not fit the configuration
   */
  public Model toNetwork() {
    return network().model();
  }

  /** Returns {@link #toNetwork} as one view of both classes of networks. */
  public Dl4jNetwork network() {
    long count = layers.stream().mapToLong(QuantizedLayer::parameterCount).sum();
    INDArray parameters = count == 0 ? Nd4j.empty() : Nd4j.create(dataType(), 1, count);
    Dl4jNetwork network = Dl4jNetwork.create(graph, configuration, parameters);
    ImmutableList<Dl4jLayer> targets = network.layers();
    Checks.that(
        targets.size() == layers.size(),
        "layers",
        "be as many as the configuration has, " + targets.size(),
        layers.size());
    for (int i = 0; i < targets.size(); i++) {
      copyInto(layers.get(i), targets.get(i));
    }
    attachments.updaterState().ifPresent(state -> restoreUpdater(network.model(), state));
    return network;
  }

  private static void copyInto(QuantizedLayer source, Dl4jLayer target) {
    Checks.that(
        source.name().equals(target.name())
            && source.parameters().size() == target.parameters().size(),
        "layer " + target.name(),
        "have " + target.parameters().size() + " parameters",
        source.name() + " with " + source.parameters().size());
    for (int i = 0; i < target.parameters().size(); i++) {
      QuantizedParameter parameter = source.parameters().get(i);
      Dl4jParameter live = target.parameters().get(i);
      Checks.that(
          parameter.key().equals(live.key()) && parameter.length() == live.value().length(),
          "parameter " + live.name(),
          "have " + live.value().length() + " elements",
          parameter.key() + " with " + parameter.length());
      if (parameter.codes().isPresent()) {
        live.assign(parameter.codes().get().dequantize());
      } else {
        live.value().assign(parameter.values().orElseThrow().reshape(live.value().shape()));
      }
    }
  }

  /** Returns the type of the numbers with which DL4J computes this network. */
  public DataType dataType() {
    return graph
        ? ComputationGraphConfiguration.fromJson(configuration).getDataType()
        : MultiLayerConfiguration.fromJson(configuration).getDataType();
  }

  private static void restoreUpdater(Model model, INDArray state) {
    if (model instanceof MultiLayerNetwork layers) {
      layers.getUpdater(true).setStateViewArray(layers, state.dup(), false);
    } else if (model instanceof ComputationGraph graph) {
      graph.getUpdater(true).setStateViewArray(state.dup());
    }
  }
}
