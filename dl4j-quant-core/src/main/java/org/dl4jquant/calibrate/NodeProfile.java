package org.dl4jquant.calibrate;

import java.util.Arrays;
import java.util.Optional;
import org.dl4jquant.dl4j.Layout;
import org.dl4jquant.graph.Node;
import org.dl4jquant.graph.Shape;
import org.dl4jquant.internal.Checks;
import org.dl4jquant.stats.BinnedTensorAccumulator;
import org.dl4jquant.stats.LogBins;
import org.dl4jquant.stats.LogHistogram;
import org.dl4jquant.stats.TensorProfile;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The growing profile of one node's value. Not thread-safe. */
final class NodeProfile {
  private final Node node;
  private final Layout layout;
  private final BinnedTensorAccumulator profile;
  private final Optional<LogHistogram> logarithms;

  /**
   * @param logarithms whether those of the values are counted, too
   */
  NodeProfile(Node node, Layout layout, Shape shape, boolean logarithms) {
    this.node = node;
    this.layout = layout;
    boolean known = layout != Layout.FOLDED && shape.channels() != Shape.UNKNOWN;
    this.profile = BinnedTensorAccumulator.create(known ? shape.channels() : 1);
    this.logarithms = logarithms ? Optional.of(LogHistogram.create()) : Optional.empty();
  }

  Node node() {
    return node;
  }

  Layout layout() {
    return layout;
  }

  TensorProfile snapshot() {
    return profile.snapshot();
  }

  Optional<LogBins> logarithms() {
    return logarithms.map(LogHistogram::snapshot);
  }

  private void acceptBatch(float[] values, int length, int positions) {
    profile.acceptBatch(values, length, positions);
    logarithms.ifPresent(own -> own.acceptAll(values, 0, length));
  }

  /**
   * Adds a value.
   *
   * @param values row-major, in the layout {@code as}: the node's own for DL4J's array, {@link
   *     Layout#AS_IN_DL4J} for the graph's value
   * @param length how many of them
   * @param shape of the array
   * @return whether the mask fits; without a fit everything counts
   */
  boolean accept(
      float[] values, int length, long[] shape, Layout as, int batch, Optional<INDArray> mask) {
    if (length == 0) {
      return true;
    }
    int channels = profile.channels();
    boolean rows = as == Layout.STEPS || as == Layout.CHANNELS_LAST;
    int examples = Math.toIntExact(rows ? length / channels : shape[0]);
    Checks.that(
        length % ((long) channels * examples) == 0,
        "value of '" + node.name() + "'",
        "have " + channels + " channels",
        "shape " + Arrays.toString(shape));
    int positions = length / channels / examples;
    Slots slots = Slots.of(batch, as, shape, examples * positions);
    Optional<boolean[]> kept = mask.flatMap(slots::fit);
    if (kept.isPresent()) {
      acceptKept(values, examples, positions, kept.get());
    } else {
      acceptBatch(values, length, positions);
    }
    return mask.isEmpty() || kept.isPresent();
  }

  /** Returns whether an array has its channels along this axis. */
  boolean fits(INDArray array, int channelAxis) {
    return profile.channels() == 1 || array.size(channelAxis) == profile.channels();
  }

  /**
   * Adds a value without a mask, in the order in which its array lies in memory.
   *
   * @param values of the array's buffer, dense
   * @param channelAxis of the array
   */
  void acceptBuffer(float[] values, int length, INDArray array, int channelAxis) {
    if (profile.channels() == 1) {
      acceptBatch(values, length, length);
      return;
    }
    acceptBatch(values, length, Math.toIntExact(array.stride(channelAxis)));
  }

  private void acceptKept(float[] values, int examples, int positions, boolean[] kept) {
    int channels = profile.channels();
    float[] packed = new float[channels * positions];
    for (int e = 0; e < examples; e++) {
      int count = 0;
      for (int p = 0; p < positions; p++) {
        count += kept[e * positions + p] ? 1 : 0;
      }
      for (int c = 0, to = 0; c < channels && count > 0; c++) {
        int from = (e * channels + c) * positions;
        for (int p = 0; p < positions; p++) {
          if (kept[e * positions + p]) {
            packed[to++] = values[from + p];
          }
        }
      }
      if (count > 0) {
        acceptBatch(packed, channels * count, count);
      }
    }
  }
}
