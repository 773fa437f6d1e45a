package org.dl4jquant.calibrate;

import java.util.Arrays;
import java.util.Optional;
import org.dl4jquant.dl4j.Layout;
import org.dl4jquant.dl4j.Tensors;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Which positions of a value count: one element per example and position, in the order in which the
 * value has them.
 */
final class Slots {
  private final int batch;
  private final boolean steps;
  private final long[] shape;
  private final int count;

  private Slots(int batch, boolean steps, long[] shape, int count) {
    this.batch = batch;
    this.steps = steps;
    this.shape = shape;
    this.count = count;
  }

  /**
   * Returns the slots of a value.
   *
   * @param batch the number of examples
   * @param shape of the value's array, the batch, or a row per step of each example, in front
   * @param count of the positions of all examples
   */
  static Slots of(int batch, Layout layout, long[] shape, int count) {
    return new Slots(batch, layout == Layout.STEPS || layout == Layout.FOLDED, shape, count);
  }

  /** Returns what counts by a DL4J mask, or nothing if the mask does not fit. */
  Optional<boolean[]> fit(INDArray mask) {
    if (mask.rank() == 4) {
      return spread(mask);
    }
    long size = mask.length();
    boolean rows = mask.rank() == 2 && mask.size(1) == 1 && mask.size(0) != batch;
    if (size == 0 || count % size != 0 || (!rows && mask.size(0) != batch)) {
      return Optional.empty();
    }
    int time = Math.toIntExact(size / batch);
    float[] elements = Tensors.of(mask).values();
    boolean[] kept = new boolean[count];
    int each = Math.toIntExact(count / size);
    for (int b = 0; b < batch; b++) {
      for (int t = 0; t < time; t++) {
        boolean counts = elements[rows ? t * batch + b : b * time + t] != 0;
        int slot = steps ? t * batch + b : b * time + t;
        Arrays.fill(kept, slot * each, (slot + 1) * each, counts);
      }
    }
    return steps && size == batch && shape[0] != batch ? Optional.empty() : Optional.of(kept);
  }

  /** A mask of images has size 1 along the axes that it does not distinguish. */
  private Optional<boolean[]> spread(INDArray mask) {
    if (shape.length != 4 || mask.size(1) != 1 || count != shape[0] * shape[2] * shape[3]) {
      return Optional.empty();
    }
    for (int axis = 0; axis < 4; axis++) {
      if (axis != 1 && mask.size(axis) != 1 && mask.size(axis) != shape[axis]) {
        return Optional.empty();
      }
    }
    boolean[] kept = new boolean[count];
    for (int i = 0; i < count; i++) {
      long column = i % shape[3];
      long row = i / shape[3] % shape[2];
      long example = i / (shape[2] * shape[3]);
      kept[i] =
          mask.getDouble(
                  mask.size(0) == 1 ? 0 : example,
                  0,
                  mask.size(2) == 1 ? 0 : row,
                  mask.size(3) == 1 ? 0 : column)
              != 0;
    }
    return Optional.of(kept);
  }
}
