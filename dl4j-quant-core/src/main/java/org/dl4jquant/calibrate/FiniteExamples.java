package org.dl4jquant.calibrate;

import com.google.common.collect.ImmutableList;
import com.google.common.primitives.Booleans;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.dl4jquant.dl4j.Layout;
import org.dl4jquant.dl4j.Tensors;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Leaves out whole examples that hold a feature which is NaN or infinite: what a network makes of
 * one is no value that it ever gives, and may be finite, such as the maximum over nothing but NaN.
 */
public final class FiniteExamples {
  private FiniteExamples() {}

  /**
   * Returns the examples whose features are all finite; the arrays themselves if all are.
   *
   * @param inputs one array per input, batch first
   */
  public static INDArray[] of(INDArray... inputs) {
    boolean[] broken = new boolean[Math.toIntExact(inputs[0].size(0))];
    for (INDArray input : inputs) {
      mark(values(input), broken);
    }
    if (!Booleans.contains(broken, true)) {
      return inputs.clone();
    }
    ImmutableList<Batch> runs = Batch.of(inputs, null).without(broken);
    INDArray[] kept = new INDArray[runs.isEmpty() ? 0 : inputs.length];
    for (int i = 0; i < kept.length; i++) {
      int input = i;
      kept[i] =
          Nd4j.concat(
              0, runs.stream().map(run -> run.inputs().get(input)).toArray(INDArray[]::new));
    }
    return kept;
  }

  private static float[] values(INDArray array) {
    float[] values = new float[Math.toIntExact(array.length())];
    Tensors.copy(array, values);
    return values;
  }

  private static void mark(float[] values, boolean[] broken) {
    int each = values.length / broken.length;
    for (int e = 0; e < broken.length; e++) {
      boolean finite = true;
      for (int i = e * each; i < (e + 1) * each; i++) {
        finite &= Float.isFinite(values[i]);
      }
      broken[e] |= !finite;
    }
  }

  /**
   * What a batch holds of one input.
   *
   * @param array with 0 in place of each feature that is not finite and does not count
   * @param broken for each example whether a feature that counts is not finite
   */
  record Checked(INDArray array, ImmutableList<Boolean> broken) {}

  /**
   * Looks at one input of a batch.
   *
   * @param mask which positions count; one that does not fit lets all count
   */
  static Checked check(INDArray array, Layout layout, Optional<INDArray> mask) {
    int batch = Math.toIntExact(array.size(0));
    boolean[] broken = new boolean[batch];
    float[] values = values(array);
    mark(values, broken);
    if (mask.isEmpty() || !Booleans.contains(broken, true)) {
      return new Checked(array, ImmutableList.copyOf(Booleans.asList(broken)));
    }
    boolean last = layout == Layout.CHANNELS_LAST;
    int channels = Math.toIntExact(array.size(last ? array.rank() - 1 : 1));
    int positions = values.length / channels / batch;
    Optional<boolean[]> kept =
        Slots.of(batch, layout, array.shape(), batch * positions).fit(mask.get());
    if (kept.isEmpty()) {
      return new Checked(array, ImmutableList.copyOf(Booleans.asList(broken)));
    }
    List<Integer> padding = new ArrayList<>();
    Arrays.fill(broken, false);
    int each = values.length / batch;
    for (int i = 0; i < values.length; i++) {
      if (!Float.isFinite(values[i])) {
        int position = last ? i / channels % positions : i % positions;
        boolean counts = kept.get()[i / each * positions + position];
        broken[i / each] |= counts;
        if (!counts) {
          padding.add(i);
        }
      }
    }
    return new Checked(
        padding.isEmpty() ? array : zeroed(array, padding),
        ImmutableList.copyOf(Booleans.asList(broken)));
  }

  private static INDArray zeroed(INDArray array, List<Integer> indices) {
    INDArray copy = array.dup('c');
    INDArray flat = copy.reshape(copy.length());
    indices.forEach(index -> flat.putScalar((long) index, 0));
    return copy;
  }
}
