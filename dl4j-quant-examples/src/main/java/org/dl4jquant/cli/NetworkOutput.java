package org.dl4jquant.cli;

import com.google.common.collect.ImmutableList;
import com.google.common.collect.Iterables;
import java.util.List;
import java.util.Optional;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.dl4jquant.dl4j.Dl4jLayer;
import org.dl4jquant.dl4j.Dl4jNetwork;
import org.dl4jquant.internal.NearNames;

/**
 * The output of a network that is evaluated.
 *
 * @param name of the vertex, or of the last layer of a MultiLayerNetwork
 * @param index among the outputs of the network
 */
record NetworkOutput(String name, int index) {
  /**
   * Finds the output of this name, or the only one if none is named.
   *
   * @param option what a user would choose it with
   * @throws CommandFailedException if there are several and none is named, or none has the name
   */
  static NetworkOutput of(String source, Model model, Optional<String> name, String option) {
    List<String> names = names(model);
    if (name.isPresent() && names.contains(name.get())) {
      return new NetworkOutput(name.get(), names.indexOf(name.get()));
    }
    if (name.isPresent()) {
      throw new CommandFailedException(
          "%s: %s must be one of the outputs %s, found '%s'%s"
              .formatted(source, option, names, name.get(), NearNames.hint(name.get(), names)));
    }
    if (names.size() != 1) {
      throw new CommandFailedException(
          "%s: has the outputs %s; choose one with %s NAME".formatted(source, names, option));
    }
    return new NetworkOutput(names.get(0), 0);
  }

  /** Returns the output of another network to compare with: the only one, or that of this name. */
  NetworkOutput in(String source, Model reference) {
    return names(reference).size() == 1
        ? of(source, reference, Optional.empty(), "--output")
        : of(source, reference, Optional.of(name), "--output");
  }

  private static List<String> names(Model model) {
    if (model instanceof ComputationGraph graph) {
      return ImmutableList.copyOf(graph.getConfiguration().getNetworkOutputs());
    }
    Dl4jLayer last = Iterables.getLast(Dl4jNetwork.of(model).layers());
    return ImmutableList.of(last.name());
  }
}
