package org.dl4jquant.examples;

import java.util.Random;
import java.util.stream.IntStream;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.weights.WeightInit;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.ILossFunction;

/**
 * Made-up examples of many classes and the softmax layer that tells them apart, in place of the
 * features and the head of a big network. A class is a direction in a space of 64 features; an
 * example is its class's direction with noise, negative parts cut off as by a ReLU. Classes are not
 * equally frequent: the most frequent one has three times the examples of the rarest.
 */
final class ManyClasses {
  private static final int FEATURES = 64;
  private static final double NOISE = 0.6;
  private static final double RAREST = 0.5;

  private final int classes;
  private final long seed;
  private final double[][] centers;

  /** Draws the directions. */
  ManyClasses(int classes, long seed) {
    this.classes = classes;
    this.seed = seed;
    Random random = new Random(seed);
    centers =
        IntStream.range(0, classes)
            .mapToObj(c -> random.doubles(FEATURES, -1, 1).toArray())
            .toArray(double[][]::new);
  }

  /** Returns {@code count} examples, the same ones for the same part. */
  DataSet examples(int count, int part) {
    Random random = new Random(seed * 1_000_003 + part);
    float[] features = new float[count * FEATURES];
    float[] labels = new float[count * classes];
    for (int i = 0; i < count; i++) {
      int label = label(random);
      labels[i * classes + label] = 1;
      for (int f = 0; f < FEATURES; f++) {
        double value = centers[label][f] + NOISE * random.nextGaussian();
        features[i * FEATURES + f] = (float) Math.max(0, value);
      }
    }
    return new DataSet(
        Nd4j.createFromArray(features).reshape(count, FEATURES),
        Nd4j.createFromArray(labels).reshape(count, classes));
  }

  /** Takes a class as it comes, or rejects it the more often the higher its index. */
  private int label(Random random) {
    while (true) {
      int label = random.nextInt(classes);
      double frequency = 1 + RAREST - (double) label / classes;
      if (random.nextDouble() * (1 + RAREST) < frequency) {
        return label;
      }
    }
  }

  /** Returns the layer; it starts undecided, with all weights 0. */
  MultiLayerNetwork head(ILossFunction loss, double learningRate) {
    MultiLayerNetwork network =
        new MultiLayerNetwork(
            new NeuralNetConfiguration.Builder()
                .seed(seed)
                .updater(new Sgd(learningRate))
                .list()
                .layer(
                    new OutputLayer.Builder(loss)
                        .name("head")
                        .nOut(classes)
                        .activation(Activation.SOFTMAX)
                        .weightInit(WeightInit.ZERO)
                        .build())
                .setInputType(InputType.feedForward(FEATURES))
                .build());
    network.init();
    return network;
  }
}
