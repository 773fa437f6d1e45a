package org.dl4jquant.stats;

import com.google.common.collect.ImmutableList;
import com.google.common.primitives.ImmutableDoubleArray;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.dl4jquant.internal.Checks;
import org.jspecify.annotations.Nullable;

/**
 * Takes the differences of every weight tensor once per cycle and sums them up. It starts from a
 * {@link WeightDifferences}: one of no cycles, or a saved one to go on with. Not thread-safe.
 */
public final class WeightDifferenceAccumulator {
  private final WeightDifferences start;
  private final Map<String, Map<String, Sums>> tensors = new LinkedHashMap<>();
  private long cycles;

  /** Creates an accumulator that goes on from {@code start}. */
  public WeightDifferenceAccumulator(WeightDifferences start) {
    this.start = start;
    this.cycles = start.cycles();
    for (LayerDifference layer : start.layers()) {
      Map<String, Sums> byName = new LinkedHashMap<>();
      layer.parameters().forEach(p -> byName.put(p.name(), new Sums(layer.layer(), p)));
      tensors.put(layer.layer(), byName);
    }
  }

  /**
   * Takes a whole tensor of a layer whose channels are not recorded.
   *
   * @param current the weights now
   * @param reference what they are compared with, in the same order
   */
  public void accept(String layer, String parameter, float[] current, float[] reference) {
    Sums sums = sums(layer, parameter);
    sums.requireLength("current", current.length);
    sums.requireLength("reference", reference.length);
    sums.accept(SquaredDifferences.sum(current, 0, reference, 0, current.length), null);
  }

  /**
   * Takes the squared differences of a tensor whose channels are not recorded.
   *
   * @param squares their sum; NaN counts as infinite
   */
  public void accept(String layer, String parameter, double squares) {
    sums(layer, parameter).accept(squares, null);
  }

  /**
   * Takes the squared differences of a tensor whose channels are recorded.
   *
   * @param squares their sum; NaN counts as infinite
   * @param channelSquares their sums by output channel
   */
  public void accept(String layer, String parameter, double squares, double[] channelSquares) {
    sums(layer, parameter).accept(squares, channelSquares);
  }

  /**
   * Ends the cycle.
   *
   * @throws IllegalStateException if it lacks a tensor
   */
  public void endCycle() {
    eachTensor().forEach(Sums::requireAccepted);
    eachTensor().forEach(Sums::endCycle);
    cycles++;
  }

  /** Returns what was seen in the cycles that have ended. */
  public WeightDifferences snapshot() {
    ImmutableList.Builder<LayerDifference> layers = ImmutableList.builder();
    for (LayerDifference layer : start.layers()) {
      ImmutableList.Builder<ParameterDifference> parameters = ImmutableList.builder();
      layer.parameters().forEach(p -> parameters.add(sums(layer.layer(), p.name()).snapshot()));
      layers.add(new LayerDifference(layer.layer(), layer.frozen(), parameters.build()));
    }
    return new WeightDifferences(start.reference(), start.cycle(), cycles, layers.build());
  }

  private List<Sums> eachTensor() {
    List<Sums> all = new ArrayList<>();
    tensors.values().forEach(byName -> all.addAll(byName.values()));
    return all;
  }

  private Sums sums(String layer, String parameter) {
    Map<String, Sums> byName = tensors.get(layer);
    if (byName == null) {
      throw Checks.violated("layer", "be one of " + tensors.keySet(), layer);
    }
    Sums sums = byName.get(parameter);
    if (sums == null) {
      throw Checks.violated(
          "parameter", "be a weight of layer " + layer + ", one of " + byName.keySet(), parameter);
    }
    return sums;
  }

  /** The sums of one tensor, and those of the cycle under way. */
  private static final class Sums {
    private final String where;
    private final ParameterDifference start;
    private final double[] channels;
    private final double[] lastChannels;
    private double all;
    private double last;
    private double pending;
    private double @Nullable [] pendingChannels;
    private boolean accepted;

    Sums(String layer, ParameterDifference start) {
      this.where = "layer " + layer + ", parameter " + start.name();
      this.start = start;
      this.all = start.squares();
      this.last = start.lastSquares();
      this.channels = start.channelSquares().toArray();
      this.lastChannels = start.channelLastSquares().toArray();
    }

    void requireLength(String argument, int length) {
      Checks.that(
          length == start.weights(),
          argument + " of " + where,
          "have " + start.weights() + " weights",
          length);
    }

    void accept(double squares, double @Nullable [] channelSquares) {
      int found = channelSquares == null ? 0 : channelSquares.length;
      Checks.that(
          found == channels.length,
          "channelSquares of " + where,
          "have " + channels.length + " channels",
          found);
      Checks.state(!accepted, "%s was given twice in one cycle", where);
      pending = infiniteIfNan(squares);
      pendingChannels = channelSquares == null ? null : channelSquares.clone();
      accepted = true;
    }

    void requireAccepted() {
      Checks.state(accepted, "%s was not given in this cycle", where);
    }

    void endCycle() {
      all += pending;
      last = pending;
      if (pendingChannels != null) {
        for (int c = 0; c < channels.length; c++) {
          lastChannels[c] = infiniteIfNan(pendingChannels[c]);
          channels[c] += lastChannels[c];
        }
      }
      accepted = false;
    }

    ParameterDifference snapshot() {
      return new ParameterDifference(
          start.name(),
          start.weights(),
          all,
          last,
          ImmutableDoubleArray.copyOf(channels),
          ImmutableDoubleArray.copyOf(lastChannels));
    }

    private static double infiniteIfNan(double sum) {
      return Double.isNaN(sum) ? Double.POSITIVE_INFINITY : sum;
    }
  }
}
