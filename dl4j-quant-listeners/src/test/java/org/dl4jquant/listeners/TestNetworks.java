package org.dl4jquant.listeners;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.deeplearning4j.datasets.iterator.utilty.ListDataSetIterator;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** Small networks and data that the listener tests share. */
final class TestNetworks {
  static final int INPUTS = 6;
  static final int CLASSES = 3;

  private TestNetworks() {}

  static DenseLayer.Builder dense(int in, int out) {
    return new DenseLayer.Builder().nIn(in).nOut(out).activation(Activation.TANH);
  }

  static OutputLayer output(int in) {
    return new OutputLayer.Builder(LossFunction.MCXENT)
        .name("head")
        .nIn(in)
        .nOut(CLASSES)
        .activation(Activation.SOFTMAX)
        .build();
  }

  static NeuralNetConfiguration.Builder configuration(IUpdater updater) {
    return new NeuralNetConfiguration.Builder().seed(42).updater(updater);
  }

  /** Layers named first, layer1 (by DL4J), head. */
  static MultiLayerNetwork network(NeuralNetConfiguration.Builder configuration) {
    MultiLayerNetwork network =
        new MultiLayerNetwork(
            configuration
                .list()
                .layer(dense(INPUTS, 8).name("first").build())
                .layer(dense(8, 5).build())
                .layer(output(5))
                .build());
    network.init();
    return network;
  }

  static MultiLayerNetwork network(IUpdater updater) {
    return network(configuration(updater));
  }

  static ComputationGraph graph(IUpdater updater) {
    ComputationGraphConfiguration.GraphBuilder builder =
        configuration(updater)
            .graphBuilder()
            .addInputs("in")
            .addLayer("left", dense(INPUTS, 4).build(), "in")
            .addLayer("right", dense(INPUTS, 4).build(), "in")
            .addLayer("head", output(8), "left", "right")
            .setOutputs("head");
    ComputationGraph graph = new ComputationGraph(builder.build());
    graph.init();
    return graph;
  }

  static DataSet batch(int seed) {
    Random random = new Random(seed);
    int rows = 16;
    INDArray features = Nd4j.create(rows, INPUTS);
    INDArray labels = Nd4j.zeros(rows, CLASSES);
    for (int row = 0; row < rows; row++) {
      double sum = 0;
      for (int column = 0; column < INPUTS; column++) {
        double value = random.nextGaussian();
        sum += value * (column % 2 == 0 ? 1 : -1);
        features.putScalar(row, column, value);
      }
      labels.putScalar(row, sum < -1 ? 0 : sum < 1 ? 1 : 2, 1);
    }
    return new DataSet(features, labels);
  }

  static DataSetIterator batches(int count) {
    List<DataSet> examples = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      examples.addAll(batch(i).asList());
    }
    return new ListDataSetIterator<>(examples, 16);
  }

  /** Returns whether every value is a multiple of the step. */
  static boolean onGrid(INDArray array, double step) {
    for (float value : array.dup().data().asFloat()) {
      if (value / step != Math.rint(value / step)) {
        return false;
      }
    }
    return true;
  }
}
