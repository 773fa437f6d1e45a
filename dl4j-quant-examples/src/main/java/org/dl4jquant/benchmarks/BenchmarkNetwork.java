package org.dl4jquant.benchmarks;

import java.util.Random;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.examples.Networks;
import org.dl4jquant.internal.Checks;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;

/**
 * A network that the benchmarks of listeners train, with random examples.
 *
 * @param name {@code leNet}, 28×28 at batch 64, or {@code mlp16M}, at batch 128
 */
record BenchmarkNetwork(String name) {
  private static final int CLASSES = 10;
  private static final int SIZE = 28;

  BenchmarkNetwork {
    Checks.that(name.equals("leNet") || name.equals("mlp16M"), "name", "be leNet or mlp16M", name);
  }

  private boolean small() {
    return name.equals("leNet");
  }

  MultiLayerNetwork build() {
    return small() ? Networks.leNet(SIZE, CLASSES, 1) : wideMlp();
  }

  DataSet examples() {
    INDArray features = small() ? Nd4j.rand(64, 1, SIZE, SIZE) : Nd4j.rand(128, SIZE * SIZE);
    INDArray labels = Nd4j.zeros(features.size(0), CLASSES);
    Random random = new Random(1);
    for (int i = 0; i < labels.rows(); i++) {
      labels.putScalar(i, random.nextInt(CLASSES), 1);
    }
    return new DataSet(features, labels);
  }

  /** 784 · 3584 + 3584 · 3584 + 3584 · 10 weights: 15.7 million. */
  private static MultiLayerNetwork wideMlp() {
    DenseLayer hidden = new DenseLayer.Builder().nOut(3584).build();
    MultiLayerNetwork mlp =
        new MultiLayerNetwork(
            new NeuralNetConfiguration.Builder()
                .seed(1)
                .updater(new Adam(1e-3))
                .activation(Activation.RELU)
                .list()
                .layer(hidden)
                .layer(hidden.clone())
                .layer(
                    new OutputLayer.Builder().nOut(CLASSES).activation(Activation.SOFTMAX).build())
                .setInputType(InputType.feedForward(SIZE * SIZE))
                .build());
    mlp.init();
    return mlp;
  }
}
