package org.dl4jquant.dl4j;

import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableMap;
import com.google.common.primitives.Ints;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.BaseLayer;
import org.deeplearning4j.nn.conf.layers.FeedForwardLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.objdetect.Yolo2OutputLayer;
import org.deeplearning4j.nn.conf.layers.recurrent.Bidirectional;
import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.activations.impl.ActivationSoftmax;

/**
 * Finds the heads of a network: from each output back through everything without weights (losses,
 * activations, pooling, reshaping, merging) to the nearest layers with weights.
 */
final class HeadSearch {
  /** In a YOLO grid every box has a center, a size and a confidence beside its classes. */
  private static final int BOX_NUMBERS = 5;

  /**
   * A layer or vertex as far as the search goes.
   *
   * @param configuration wrappers removed; absent if it is not a layer
   * @param merges whether its width is the sum of those of its inputs
   * @param inputs the names of what it reads
   */
  record Step(
      Optional<Layer> configuration,
      boolean weighted,
      boolean merges,
      ImmutableList<String> inputs) {}

  private final ImmutableMap<String, Step> steps;
  private final Map<String, Dl4jHead> heads = new LinkedHashMap<>();

  private HeadSearch(ImmutableMap<String, Step> steps) {
    this.steps = steps;
  }

  /**
   * Returns the heads of the given outputs, in their order.
   *
   * @param steps by name; what is missing is an input of the network
   */
  static ImmutableList<Dl4jHead> search(
      ImmutableMap<String, Step> steps, ImmutableList<String> outputs) {
    HeadSearch search = new HeadSearch(steps);
    for (String output : outputs) {
      search.walk(output, search.width(output), false, new HashSet<>());
    }
    return ImmutableList.copyOf(search.heads.values());
  }

  private void walk(String name, int classes, boolean coupled, Set<String> seen) {
    Step step = steps.get(name);
    if (step == null || !seen.add(name)) {
      return;
    }
    boolean softmax = coupled || step.configuration().map(HeadSearch::couples).orElse(false);
    if (step.weighted()) {
      heads.merge(name, new Dl4jHead(name, Math.max(1, classes), softmax), HeadSearch::demanding);
    } else {
      step.inputs().forEach(input -> walk(input, classes, softmax, seen));
    }
  }

  private static Dl4jHead demanding(Dl4jHead one, Dl4jHead other) {
    if (one.coupled() != other.coupled()) {
      return one.coupled() ? one : other;
    }
    return one.classes() >= other.classes() ? one : other;
  }

  private static boolean couples(Layer layer) {
    return layer instanceof Yolo2OutputLayer
        || activation(layer).filter(ActivationSoftmax.class::isInstance).isPresent();
  }

  private static Optional<IActivation> activation(Layer layer) {
    if (layer instanceof ActivationLayer activation) {
      return Optional.ofNullable(activation.getActivationFn());
    }
    return layer instanceof BaseLayer base
        ? Optional.ofNullable(base.getActivationFn())
        : Optional.empty();
  }

  /** Returns the numbers per example that a step makes, 0 if only an input knows. */
  private int width(String name) {
    Step step = steps.get(name);
    if (step == null) {
      return 0;
    }
    int own = step.configuration().map(HeadSearch::outputs).orElse(0);
    if (own > 0) {
      return own;
    }
    int width = 0;
    for (String input : step.inputs()) {
      width = step.merges() ? width + width(input) : Math.max(width, width(input));
    }
    return step.configuration().orElse(null) instanceof Yolo2OutputLayer yolo
        ? width / Ints.checkedCast(yolo.getBoundingBoxes().size(0)) - BOX_NUMBERS
        : width;
  }

  private static int outputs(Layer layer) {
    if (layer instanceof FeedForwardLayer forward) {
      return Ints.saturatedCast(forward.getNOut());
    }
    return layer instanceof Bidirectional both ? Ints.saturatedCast(both.getNOut()) : 0;
  }
}
