package org.dl4jquant.finetune;

import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableMap;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.deeplearning4j.datasets.iterator.ExistingDataSetIterator;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.convert.QuantizedModel;
import org.dl4jquant.dl4j.Dl4jNetwork;
import org.dl4jquant.dl4j.LayerOutput;
import org.dl4jquant.dl4j.Tensors;
import org.dl4jquant.execute.IntegerNetwork;
import org.dl4jquant.format.NumberFormat;
import org.dl4jquant.graph.ActivationFormat;
import org.dl4jquant.graph.NetworkGraph;
import org.dl4jquant.tensor.QuantizedTensor;
import org.dl4jquant.tensor.Tensor;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;

/** Small trained networks, their data, and what fine-tuning promises of them. */
final class FineTuningNetworks {
  private static final int CLASSES = 3;
  private static final int SIZE = 8;

  private FineTuningNetworks() {}

  static NeuralNetConfiguration.Builder base(DataType type) {
    return new NeuralNetConfiguration.Builder()
        .seed(7)
        .dataType(type)
        .updater(new Adam(5e-3))
        .activation(Activation.RELU);
  }

  /** Three kinds of blurred stripes in noise, [n, 1, 8, 8]. */
  static DataSet images(int count, long seed) {
    Random random = new Random(seed);
    INDArray features = Nd4j.create(DataType.FLOAT, count, 1, SIZE, SIZE);
    INDArray labels = Nd4j.zeros(count, CLASSES);
    for (int e = 0; e < count; e++) {
      int kind = random.nextInt(CLASSES);
      int phase = random.nextInt(4);
      labels.putScalar(e, kind, 1);
      for (int y = 0; y < SIZE; y++) {
        for (int x = 0; x < SIZE; x++) {
          int along = kind == 0 ? x : kind == 1 ? y : x + y;
          double value = Math.cos((along + phase) * Math.PI / 2) + random.nextGaussian();
          features.putScalar(new int[] {e, 0, y, x}, value);
        }
      }
    }
    return new DataSet(features, labels);
  }

  static DataSetIterator batches(DataSet data, DataType type) {
    List<DataSet> batches = new ArrayList<>();
    for (DataSet batch : data.batchBy(16)) {
      batches.add(new DataSet(batch.getFeatures().castTo(type), batch.getLabels().castTo(type)));
    }
    return new ExistingDataSetIterator(batches);
  }

  /** Convolutions with a foldable normalization and one that is not, and max pooling. */
  static MultiLayerNetwork layers(DataType type) {
    MultiLayerNetwork network =
        new MultiLayerNetwork(
            base(type)
                .list()
                .layer(
                    new ConvolutionLayer.Builder(3, 3)
                        .nOut(6)
                        .convolutionMode(ConvolutionMode.Same)
                        .activation(Activation.IDENTITY)
                        .build())
                .layer(new BatchNormalization.Builder().build())
                .layer(new ActivationLayer(Activation.RELU))
                .layer(new ConvolutionLayer.Builder(3, 3).nOut(6).name("second").build())
                .layer(new BatchNormalization.Builder().name("alone").build())
                .layer(
                    new SubsamplingLayer.Builder(PoolingType.MAX)
                        .kernelSize(2, 2)
                        .stride(2, 2)
                        .build())
                .layer(new DenseLayer.Builder().nOut(12).activation(Activation.TANH).build())
                .layer(output())
                .setInputType(InputType.convolutional(SIZE, SIZE, 1))
                .build());
    network.init();
    return network;
  }

  /** Two branches that are added, and an average. */
  static ComputationGraph graph(DataType type) {
    ComputationGraph network =
        new ComputationGraph(
            base(type)
                .graphBuilder()
                .addInputs("in")
                .setInputTypes(InputType.convolutional(SIZE, SIZE, 1))
                .addLayer(
                    "stem",
                    new ConvolutionLayer.Builder(3, 3)
                        .nOut(6)
                        .convolutionMode(ConvolutionMode.Same)
                        .build(),
                    "in")
                .addLayer("normal", new BatchNormalization.Builder().build(), "stem")
                .addLayer(
                    "branch",
                    new ConvolutionLayer.Builder(3, 3)
                        .nOut(6)
                        .convolutionMode(ConvolutionMode.Same)
                        .activation(Activation.IDENTITY)
                        .build(),
                    "normal")
                .addVertex(
                    "sum", new ElementWiseVertex(ElementWiseVertex.Op.Add), "branch", "normal")
                .addLayer("relu", new ActivationLayer(Activation.RELU), "sum")
                .addLayer(
                    "average", new GlobalPoolingLayer.Builder(PoolingType.AVG).build(), "relu")
                .addLayer("out", output(), "average")
                .setOutputs("out")
                .build());
    network.init();
    return network;
  }

  private static OutputLayer output() {
    return new OutputLayer.Builder().nOut(CLASSES).activation(Activation.SOFTMAX).build();
  }

  static void fit(Model network, DataSetIterator data, int epochs) {
    if (network instanceof ComputationGraph graph) {
      graph.fit(data, epochs);
    } else {
      ((MultiLayerNetwork) network).fit(data, epochs);
    }
  }

  static double accuracy(Model network, DataSetIterator data) {
    data.reset();
    return network instanceof ComputationGraph graph
        ? graph.evaluate(data).accuracy()
        : ((MultiLayerNetwork) network).evaluate(data).accuracy();
  }

  /** Returns how many values of the network are, as codes, those of the integers. */
  static int sameCodes(Model training, QuantizedModel model, INDArray features) {
    Dl4jNetwork network = Dl4jNetwork.of(training);
    ImmutableMap<String, LayerOutput> shown =
        network.layerOutputs(ImmutableList.of(features), ImmutableList.of(Optional.empty()));
    IntegerNetwork integers = model.toIntegerNetwork();
    NetworkGraph graph = integers.graph().graph();
    ImmutableMap<String, QuantizedTensor> codes =
        integers.layerCodes(ImmutableMap.of(graph.inputs().get(0), Tensors.of(features)));
    int compared = 0;
    for (String node : model.activations().keySet()) {
      LayerOutput output = shown.get(node);
      if (output == null || !node.equals(graph.node(node).layer())) {
        continue;
      }
      ActivationFormat format = model.activations().get(node);
      Tensor values = Tensors.of(output.value());
      float[] expected = codes.get(node).dequantize().values();
      int perChannel = values.length() / values.shape()[0];
      int positions = perChannel / format.formats().size();
      for (int i = 0; i < expected.length; i++) {
        NumberFormat own = format.formats().get(i % perChannel / positions);
        double actual = own.fakeQuantize(values.values()[i]);
        if (actual != expected[i]) {
          throw new AssertionError(
              "%s, element %d: %s in training, %s in integers"
                  .formatted(node, i, actual, expected[i]));
        }
      }
      compared++;
    }
    return compared;
  }
}
