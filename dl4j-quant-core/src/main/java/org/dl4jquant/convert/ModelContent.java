package org.dl4jquant.convert;

import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.dl4jquant.graph.ActivationFormat;
import org.dl4jquant.graph.Shape;
import org.dl4jquant.internal.Checks;
import org.dl4jquant.precision.PrecisionPlan;

/**
 * All that a quantized network is made of, and all that an archive holds.
 *
 * @param graph whether the network is a ComputationGraph
 * @param configuration DL4J's configuration, as JSON
 * @param layers in topological order
 * @param activations the format of each value that is carried as codes, by the name of its node in
 *     the network's graph; values that are only moved have that of their origin; empty if only
 *     weights are quantized
 * @param plan which bit widths were asked for
 * @param provenance how it was made
 * @param attachments what travels with it
 * @param inputShapes the shapes of those inputs of which the configuration does not tell them, by
 *     name, batch excluded, axes as in DL4J's arrays
 */
public record ModelContent(
    boolean graph,
    String configuration,
    ImmutableList<QuantizedLayer> layers,
    ImmutableMap<String, ActivationFormat> activations,
    PrecisionPlan plan,
    Provenance provenance,
    Attachments attachments,
    ImmutableMap<String, Shape> inputShapes) {
  /** Returns this with another configuration, of the same layers. */
  public ModelContent withConfiguration(String other) {
    return new ModelContent(
        graph, other, layers, activations, plan, provenance, attachments, inputShapes);
  }

  ModelContent withLayers(ImmutableList<QuantizedLayer> others) {
    return new ModelContent(
        graph, configuration, others, activations, plan, provenance, attachments, inputShapes);
  }

  ModelContent with(ImmutableMap<String, ActivationFormat> others) {
    return new ModelContent(
        graph, configuration, layers, others, plan, provenance, attachments, inputShapes);
  }

  /** Returns this with other formats of some values, which keep their bits and channels. */
  ModelContent withFormats(Map<String, ActivationFormat> others) {
    Map<String, ActivationFormat> all = new LinkedHashMap<>(activations);
    others.forEach(
        (name, format) -> {
          ActivationFormat before =
              Optional.ofNullable(all.put(name, format))
                  .orElseThrow(() -> Checks.violated("values", "be codes in the model", name));
          Checks.that(
              format.bitWidth() == before.bitWidth()
                  && format.granularity().equals(before.granularity())
                  && format.formats().size() == before.formats().size(),
              "format of '" + name + "'",
              "have the bits and channels of " + before,
              format);
        });
    return new ModelContent(
        graph,
        configuration,
        layers,
        ImmutableMap.copyOf(all),
        plan,
        provenance,
        attachments,
        inputShapes);
  }

  ModelContent with(Attachments other) {
    return new ModelContent(
        graph, configuration, layers, activations, plan, provenance, other, inputShapes);
  }

  ModelContent with(Provenance other) {
    return new ModelContent(
        graph, configuration, layers, activations, plan, other, attachments, inputShapes);
  }
}
