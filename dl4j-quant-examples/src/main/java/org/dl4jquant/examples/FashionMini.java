package org.dl4jquant.examples;

import java.util.List;
import org.dl4jquant.datafile.IdxFile;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;

/**
 * The bundled part of Fashion-MNIST, 28×28 pixels scaled to 0…1, ten classes, as features of shape
 * [n, 1, 28, 28]: 1,600 examples to train with, 400 to validate (both from the training files), and
 * the 1,000 of the test files.
 */
public final class FashionMini {
  /** The number of classes. */
  public static final int CLASSES = 10;

  private static final int TRAIN = 1600;
  private static final int VALIDATION = 400;
  private static final float MAX_PIXEL = 255;

  private FashionMini() {}

  /** Returns the three parts; {@code seed} decides which training images validate. */
  public static Split images(long seed) {
    INDArray features = features("fashion-mini-train-images-idx3-ubyte.gz");
    INDArray labels = labels("fashion-mini-train-labels-idx1-ubyte.gz");
    List<Integer> order = Split.shuffledOrder(TRAIN + VALIDATION, seed);
    return new Split(
        Split.rows(features, labels, order.subList(0, TRAIN)),
        Split.rows(features, labels, order.subList(TRAIN, TRAIN + VALIDATION)),
        new DataSet(
            features("fashion-mini-t10k-images-idx3-ubyte.gz"),
            labels("fashion-mini-t10k-labels-idx1-ubyte.gz")));
  }

  /** Returns features of shape [n, 784]. */
  public static Split vectors(long seed) {
    Split images = images(seed);
    return new Split(shaped(images.train()), shaped(images.validation()), shaped(images.test()));
  }

  /** Returns features of shape [n, 28, 28]: the rows of an image as time steps, the last axis. */
  public static Split sequences(long seed) {
    Split images = images(seed);
    return new Split(
        timeLast(images.train()), timeLast(images.validation()), timeLast(images.test()));
  }

  private static DataSet shaped(DataSet part) {
    INDArray images = part.getFeatures();
    return new DataSet(
        images.dup('c').reshape(images.size(0), images.size(2) * images.size(3)), part.getLabels());
  }

  private static DataSet timeLast(DataSet part) {
    INDArray images = part.getFeatures();
    INDArray rows = images.dup('c').reshape(images.size(0), images.size(2), images.size(3));
    return new DataSet(rows.permute(0, 2, 1).dup('c'), part.getLabels());
  }

  private static INDArray features(String name) {
    IdxFile file = BundledFile.read(name, in -> IdxFile.read(in, name));
    float[] pixels = new float[file.values().length];
    for (int i = 0; i < pixels.length; i++) {
      pixels[i] = (file.values()[i] & 0xff) / MAX_PIXEL;
    }
    int[] shape = file.shape();
    return Nd4j.createFromArray(pixels).reshape(shape[0], 1, shape[1], shape[2]);
  }

  private static INDArray labels(String name) {
    IdxFile file = BundledFile.read(name, in -> IdxFile.read(in, name));
    INDArray labels = Nd4j.zeros(file.values().length, CLASSES);
    for (int i = 0; i < file.values().length; i++) {
      labels.putScalar(i, file.values()[i], 1);
    }
    return labels;
  }
}
