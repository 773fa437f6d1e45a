package org.dl4jquant.examples;

import com.google.common.collect.Lists;
import com.google.common.primitives.Ints;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.deeplearning4j.datasets.iterator.ExistingDataSetIterator;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/**
 * Labeled examples in three parts that share none.
 *
 * @param train to fit and to calibrate with
 * @param validation to choose with: bit widths, early stopping
 * @param test to report with, once
 */
public record Split(DataSet train, DataSet validation, DataSet test) {
  /** Returns the numbers 0 to {@code rows - 1} in a random order that {@code seed} fixes. */
  static List<Integer> shuffledOrder(int rows, long seed) {
    List<Integer> order = new ArrayList<>(rows);
    for (int i = 0; i < rows; i++) {
      order.add(i);
    }
    Collections.shuffle(order, new Random(seed));
    return order;
  }

  /** Returns an iterator over {@code part} in order, in batches. */
  public static DataSetIterator batches(DataSet part, int batchSize) {
    List<Integer> order = new ArrayList<>(part.numExamples());
    for (int i = 0; i < part.numExamples(); i++) {
      order.add(i);
    }
    return batches(part, batchSize, order);
  }

  /** Returns an iterator over {@code part} in a shuffled order that {@code seed} fixes. */
  public static DataSetIterator shuffledBatches(DataSet part, int batchSize, long seed) {
    return batches(part, batchSize, shuffledOrder(part.numExamples(), seed));
  }

  private static DataSetIterator batches(DataSet part, int batchSize, List<Integer> order) {
    List<DataSet> batches = new ArrayList<>();
    for (List<Integer> rows : Lists.partition(order, batchSize)) {
      int[] picked = Ints.toArray(rows);
      batches.add(new DataSet(rows(part.getFeatures(), picked), rows(part.getLabels(), picked)));
    }
    return new ExistingDataSetIterator(batches);
  }

  private static INDArray rows(INDArray array, int[] picked) {
    long[] shape = array.shape().clone();
    INDArray rows = array.reshape('c', shape[0], array.length() / shape[0]).getRows(picked);
    shape[0] = picked.length;
    return rows.reshape('c', shape);
  }

  /** Returns the first {@code count} examples of {@code part}. */
  public static DataSet first(DataSet part, int count) {
    return (DataSet) part.getRange(0, count);
  }

  /** Returns the examples of the given rows, in that order. */
  static DataSet rows(INDArray features, INDArray labels, List<Integer> order) {
    int[] rows = order.stream().mapToInt(Integer::intValue).toArray();
    INDArray[] x = new INDArray[rows.length];
    for (int i = 0; i < rows.length; i++) {
      x[i] = features.get(NDArrayIndex.interval(rows[i], rows[i] + 1), NDArrayIndex.all());
    }
    return new DataSet(Nd4j.concat(0, x), labels.getRows(rows));
  }
}
