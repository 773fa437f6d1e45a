package org.dl4jquant.examples;

import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.dl4jquant.datafile.CsvFile;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;

/**
 * The bundled 1,797 handwritten digits, 8×8 pixels scaled to 0…1, ten classes: 1,077 to train with,
 * 360 to validate, 360 to test.
 */
public final class Digits {
  /** The number of classes. */
  public static final int CLASSES = 10;

  private static final String FILE = "digits.csv.gz";
  private static final int SIZE = 8;
  private static final int TRAIN = 1077;
  private static final int VALIDATION = 360;
  private static final float MAX_PIXEL = 16;

  private Digits() {}

  /** Returns features of shape [n, 1, 8, 8]. */
  public static Split images(long seed) {
    return split(seed, 1, SIZE, SIZE);
  }

  /** Returns features of shape [n, 64]. */
  public static Split vectors(long seed) {
    return split(seed, SIZE * SIZE);
  }

  /** Returns features of shape [n, 8, 8]: the eight rows of an image as eight time steps. */
  public static Split sequences(long seed) {
    Split rows = split(seed, SIZE, SIZE);
    return new Split(timeLast(rows.train()), timeLast(rows.validation()), timeLast(rows.test()));
  }

  private static Split split(long seed, int... exampleShape) {
    CsvFile file =
        BundledFile.read(
            FILE,
            in -> CsvFile.read(new InputStreamReader(in, StandardCharsets.UTF_8), FILE, "label"));
    int rows = file.labels().size();
    INDArray labels = Nd4j.zeros(rows, CLASSES);
    for (int i = 0; i < rows; i++) {
      labels.putScalar(i, file.labels().get(i), 1);
    }
    long[] shape = new long[exampleShape.length + 1];
    shape[0] = rows;
    for (int i = 0; i < exampleShape.length; i++) {
      shape[i + 1] = exampleShape[i];
    }
    INDArray features = Nd4j.create(file.features().toArray(new float[0][]));
    INDArray scaled = features.divi(MAX_PIXEL).reshape(shape);
    List<Integer> order = Split.shuffledOrder(rows, seed);
    int testFrom = TRAIN + VALIDATION;
    return new Split(
        Split.rows(scaled, labels, order.subList(0, TRAIN)),
        Split.rows(scaled, labels, order.subList(TRAIN, testFrom)),
        Split.rows(scaled, labels, order.subList(testFrom, rows)));
  }

  private static DataSet timeLast(DataSet part) {
    return new DataSet(part.getFeatures().permute(0, 2, 1).dup('c'), part.getLabels());
  }
}
