package org.dl4jquant.onnxruntime;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.google.common.collect.ImmutableList;
import com.google.common.collect.Maps;
import java.util.Collections;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.dl4jquant.graph.NetworkGraph;
import org.dl4jquant.graph.Node;

/**
 * How the codes of ONNX Runtime agree with those of the integer network.
 *
 * @param layers every value that is carried as codes, in topological order
 * @param outputDifference the largest distance between outputs, as real numbers
 */
public record OnnxComparison(ImmutableList<Layer> layers, double outputDifference) {
  /**
   * One value.
   *
   * @param elements how many codes were compared
   * @param mismatches how many of them differ
   * @param maxDifference the largest distance between two codes
   * @param promised true if the codes must be equal wherever those that they are computed from are
   */
  public record Layer(
      String name, long elements, long mismatches, int maxDifference, boolean promised) {}

  /** Returns the number of codes compared. */
  public long elements() {
    return layers.stream().mapToLong(Layer::elements).sum();
  }

  /** Returns the number of codes that differ. */
  public long mismatches() {
    return layers.stream().mapToLong(Layer::mismatches).sum();
  }

  /** Returns the largest distance between two codes. */
  public int maxDifference() {
    return layers.stream().mapToInt(Layer::maxDifference).max().orElse(0);
  }

  /**
   * Returns the values whose codes differ although they must not: nothing that they are computed
   * from differs.
   *
   * @param graph of the network that was compared
   */
  public ImmutableList<Layer> broken(NetworkGraph graph) {
    Map<String, Layer> byName = Maps.uniqueIndex(layers, Layer::name);
    Set<String> different = new HashSet<>();
    ImmutableList.Builder<Layer> broken = ImmutableList.builder();
    for (Node node : graph.nodes()) {
      boolean fromEqual = Collections.disjoint(different, node.inputs());
      Optional<Layer> own =
          Optional.ofNullable(byName.get(node.name())).filter(layer -> layer.mismatches() > 0);
      if (own.isPresent() || !fromEqual) {
        different.add(node.name());
      }
      own.filter(layer -> fromEqual && layer.promised()).ifPresent(broken::add);
    }
    return broken.build();
  }

  /** Returns all of it on one line. */
  public String toJson() {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    json.put("elements", elements());
    json.put("mismatches", mismatches());
    json.put("maxDifference", maxDifference());
    json.put("outputDifference", outputDifference);
    ArrayNode array = json.putArray("layers");
    for (Layer layer : layers) {
      array
          .addObject()
          .put("name", layer.name())
          .put("elements", layer.elements())
          .put("mismatches", layer.mismatches())
          .put("maxDifference", layer.maxDifference())
          .put("promised", layer.promised());
    }
    return json.toString();
  }
}
