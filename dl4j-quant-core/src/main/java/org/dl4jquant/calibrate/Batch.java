package org.dl4jquant.calibrate;

import static com.google.common.collect.ImmutableList.toImmutableList;

import com.google.common.collect.ImmutableList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Optional;
import java.util.stream.IntStream;
import org.dl4jquant.internal.Checks;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.indexing.INDArrayIndex;
import org.nd4j.linalg.indexing.NDArrayIndex;

/**
 * Examples as a network takes them.
 *
 * @param inputs one array per input, batch first, of one batch size
 * @param masks one feature mask per input, absent where every value counts
 */
record Batch(ImmutableList<INDArray> inputs, ImmutableList<Optional<INDArray>> masks) {
  Batch {
    Checks.that(!inputs.isEmpty(), "inputs", "not be empty", inputs.size());
    for (INDArray input : inputs) {
      Checks.that(
          input.rank() > 1 && input.size(0) == inputs.get(0).size(0),
          "inputs",
          "have one batch axis of the same size",
          inputs.stream().map(a -> Arrays.toString(a.shape())).toList());
    }
  }

  static Batch of(INDArray[] inputs, @Nullable INDArray @Nullable [] masks) {
    return new Batch(
        ImmutableList.copyOf(inputs),
        masks == null
            ? ImmutableList.copyOf(Collections.nCopies(inputs.length, Optional.empty()))
            : Arrays.stream(masks).map(Optional::ofNullable).collect(toImmutableList()));
  }

  int size() {
    return Math.toIntExact(inputs.get(0).size(0));
  }

  /** Returns the examples {@code from} to, excluded, {@code to}, as views. */
  Batch part(int from, int to) {
    if (from == 0 && to == size()) {
      return this;
    }
    return new Batch(
        inputs.stream().map(array -> rows(array, from, to)).collect(toImmutableList()),
        IntStream.range(0, masks.size())
            .mapToObj(i -> masks.get(i).map(mask -> maskRows(mask, from, to)))
            .collect(toImmutableList()));
  }

  /** Returns the runs of examples between those that are to be left out. */
  ImmutableList<Batch> without(boolean... leftOut) {
    ImmutableList.Builder<Batch> runs = ImmutableList.builder();
    for (int from = 0, to; from < size(); from = to + 1) {
      to = from;
      while (to < size() && !leftOut[to]) {
        to++;
      }
      if (to > from) {
        runs.add(part(from, to));
      }
    }
    return runs.build();
  }

  private INDArray maskRows(INDArray mask, int from, int to) {
    return mask.size(0) == size() ? rows(mask, from, to) : mask;
  }

  private static INDArray rows(INDArray array, int from, int to) {
    INDArrayIndex[] indices = new INDArrayIndex[array.rank()];
    Arrays.fill(indices, NDArrayIndex.all());
    indices[0] = NDArrayIndex.interval(from, to);
    return array.get(indices);
  }
}
