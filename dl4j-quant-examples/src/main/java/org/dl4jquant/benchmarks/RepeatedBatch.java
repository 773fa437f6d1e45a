package org.dl4jquant.benchmarks;

import java.util.List;
import java.util.NoSuchElementException;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.api.DataSetPreProcessor;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;

/** One batch, given several times, so that reading data costs neither time nor memory. */
@SuppressWarnings("serial") // nobody writes it
final class RepeatedBatch implements DataSetIterator {
  private final DataSet batch;
  private final int times;
  private int given;

  RepeatedBatch(DataSet batch, int times) {
    this.batch = batch;
    this.times = times;
  }

  @Override
  public boolean hasNext() {
    return given < times;
  }

  @Override
  public DataSet next() {
    if (!hasNext()) {
      throw new NoSuchElementException();
    }
    given++;
    return batch;
  }

  @Override
  public DataSet next(int count) {
    throw new UnsupportedOperationException("the batch has a fixed size");
  }

  @Override
  public int inputColumns() {
    return Math.toIntExact(batch.getFeatures().size(1));
  }

  @Override
  public int totalOutcomes() {
    return Math.toIntExact(batch.getLabels().size(1));
  }

  @Override
  public boolean resetSupported() {
    return true;
  }

  @Override
  public boolean asyncSupported() {
    return false;
  }

  @Override
  public void reset() {
    given = 0;
  }

  @Override
  public int batch() {
    return batch.numExamples();
  }

  @Override
  public void setPreProcessor(@Nullable DataSetPreProcessor preProcessor) {
    if (preProcessor != null) {
      throw new UnsupportedOperationException("the batch is given as it is");
    }
  }

  @Override
  public @Nullable DataSetPreProcessor getPreProcessor() {
    return null;
  }

  @Override
  public @Nullable List<String> getLabels() {
    return null;
  }
}
