package org.dl4jquant.calibrate;

import com.google.common.collect.ImmutableMap;
import com.google.common.primitives.Floats;
import com.google.errorprone.annotations.CanIgnoreReturnValue;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Consumer;
import org.dl4jquant.internal.Checks;
import org.dl4jquant.tensor.Tensor;

/**
 * Some of the examples that calibration saw, as the graph takes them: what must be computed again
 * and again, such as the inputs of layers that are rounded one after the other, is computed for
 * them. Immutable and thread-safe.
 *
 * @param size the number of examples, at least 1
 * @param inputs by the names of the graph's inputs, batch first
 */
public record CalibrationExamples(int size, ImmutableMap<String, Tensor> inputs) {
  /** How many examples are kept at most. */
  public static final int MOST_EXAMPLES = 256;

  private static final long MOST_BYTES = 64L << 20;

  public CalibrationExamples {
    Checks.positive("size", size);
    inputs.forEach(
        (name, tensor) ->
            Checks.that(
                tensor.size(0) == size, "input '" + name + "'", "hold " + size, tensor.size(0)));
  }

  /** Returns the first examples of these, all if there are not so many. */
  public CalibrationExamples first(int count) {
    int kept = Math.min(size, Checks.positive("count", count));
    ImmutableMap.Builder<String, Tensor> first = ImmutableMap.builder();
    inputs.forEach((name, tensor) -> first.put(name, rows(tensor, kept)));
    return new CalibrationExamples(kept, first.buildOrThrow());
  }

  private static Tensor rows(Tensor tensor, int count) {
    int[] shape = tensor.shape();
    float[] values = new float[tensor.length() / shape[0] * count];
    System.arraycopy(tensor.values(), 0, values, 0, values.length);
    shape[0] = count;
    return Tensor.of(values, shape);
  }

  /**
   * Keeps examples until there are {@value #MOST_EXAMPLES}, or as many as fit 64 MiB. An example
   * with a value that is NaN or infinite is left out; so is one of another shape than the first.
   * Not thread-safe.
   */
  public static final class Collector implements Consumer<ImmutableMap<String, Tensor>> {
    private final Map<String, List<float[]>> rows = new LinkedHashMap<>();
    private final Map<String, int[]> shapes = new LinkedHashMap<>();
    private int size;
    private long bytes;

    /** Adds a batch. */
    @Override
    public void accept(ImmutableMap<String, Tensor> batch) {
      int count = batch.values().iterator().next().size(0);
      if (!fits(batch)) {
        return;
      }
      for (int e = 0; e < count && !isFull(); e++) {
        add(batch, e);
      }
    }

    /** Returns whether there is room for no more. */
    public boolean isFull() {
      return size >= MOST_EXAMPLES || bytes >= MOST_BYTES;
    }

    private boolean fits(ImmutableMap<String, Tensor> batch) {
      boolean fits = true;
      for (Map.Entry<String, Tensor> input : batch.entrySet()) {
        int[] shape = input.getValue().shape();
        shape[0] = 1;
        int[] known = shapes.computeIfAbsent(input.getKey(), name -> shape);
        fits &= Arrays.equals(shape, known);
      }
      return fits;
    }

    @CanIgnoreReturnValue
    private boolean add(ImmutableMap<String, Tensor> batch, int example) {
      Map<String, float[]> row = new LinkedHashMap<>();
      for (Map.Entry<String, Tensor> input : batch.entrySet()) {
        int length = input.getValue().length() / input.getValue().size(0);
        float[] values = new float[length];
        System.arraycopy(input.getValue().values(), example * length, values, 0, length);
        for (float value : values) {
          if (!Float.isFinite(value)) {
            return false;
          }
        }
        row.put(input.getKey(), values);
      }
      row.forEach(
          (name, values) -> {
            rows.computeIfAbsent(name, any -> new ArrayList<>()).add(values);
            bytes += (long) Float.BYTES * values.length;
          });
      size++;
      return true;
    }

    /** Returns what was kept, nothing if there was no example to keep. */
    public Optional<CalibrationExamples> examples() {
      if (size == 0) {
        return Optional.empty();
      }
      ImmutableMap.Builder<String, Tensor> inputs = ImmutableMap.builder();
      rows.forEach(
          (name, all) -> {
            int[] shape = Objects.requireNonNull(shapes.get(name)).clone();
            shape[0] = size;
            float[] values = Floats.concat(all.toArray(new float[0][]));
            inputs.put(name, Tensor.of(values, shape));
          });
      return Optional.of(new CalibrationExamples(size, inputs.buildOrThrow()));
    }
  }
}
