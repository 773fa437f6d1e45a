package org.dl4jquant.cli;

import com.google.common.collect.ImmutableList;
import java.util.Arrays;
import java.util.List;
import java.util.NoSuchElementException;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.api.MultiDataSet;
import org.nd4j.linalg.dataset.api.MultiDataSetPreProcessor;
import org.nd4j.linalg.dataset.api.iterator.MultiDataSetIterator;
import org.nd4j.linalg.indexing.INDArrayIndex;
import org.nd4j.linalg.indexing.NDArrayIndex;

/** The inputs of a network, batch by batch, without labels. Not thread-safe. */
final class InputBatches implements MultiDataSetIterator {
  private static final long serialVersionUID = 1L;

  /** How many examples go through a network at once. */
  static final int SIZE = 64;

  private final transient ImmutableList<INDArray> inputs;
  private final transient Runnable onBatch;
  private int position;

  /**
   * Starts with the first example.
   *
   * @param inputs one array per input, examples along axis 0
   * @param onBatch is run when a batch is taken
   */
  InputBatches(List<INDArray> inputs, Runnable onBatch) {
    this.inputs = ImmutableList.copyOf(inputs);
    this.onBatch = onBatch;
  }

  /** Returns a copy of the examples {@code from} to, excluded, {@code to}. */
  static INDArray[] part(List<INDArray> inputs, int from, int to) {
    return inputs.stream()
        .map(
            input -> {
              INDArrayIndex[] index = new INDArrayIndex[input.rank()];
              Arrays.fill(index, NDArrayIndex.all());
              index[0] = NDArrayIndex.interval(from, to);
              return input.get(index).dup('c');
            })
        .toArray(INDArray[]::new);
  }

  /** Returns the number of examples. */
  int examples() {
    return Math.toIntExact(inputs.get(0).size(0));
  }

  /** Returns the number of batches. */
  int count() {
    return (examples() + SIZE - 1) / SIZE;
  }

  @Override
  public boolean hasNext() {
    return position < examples();
  }

  @Override
  public MultiDataSet next() {
    return next(SIZE);
  }

  @Override
  public MultiDataSet next(int size) {
    if (!hasNext()) {
      throw new NoSuchElementException("after the last of " + examples() + " examples");
    }
    int to = Math.min(examples(), position + size);
    INDArray[] features = part(inputs, position, to);
    position = to;
    onBatch.run();
    return new org.nd4j.linalg.dataset.MultiDataSet(features, null);
  }

  @Override
  public boolean resetSupported() {
    return true;
  }

  @Override
  public void reset() {
    position = 0;
  }

  @Override
  public boolean asyncSupported() {
    return false;
  }

  @Override
  public @Nullable MultiDataSetPreProcessor getPreProcessor() {
    return null;
  }

  @Override
  public void setPreProcessor(MultiDataSetPreProcessor preProcessor) {
    throw new UnsupportedOperationException("the data are as the network takes them");
  }
}
