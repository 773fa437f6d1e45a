package org.dl4jquant.finetune;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.Convolution1DLayer;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.DepthwiseConvolution2D;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.util.ModelSerializer;
import org.dl4jquant.Quantization;
import org.dl4jquant.convert.QuantizedModel;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.nd4j.linalg.learning.config.Adam;

final class FakeQuantizedWeightsTest {
  private static NeuralNetConfiguration.Builder base() {
    return new NeuralNetConfiguration.Builder()
        .seed(5)
        .updater(new Adam(1e-2))
        .activation(Activation.TANH);
  }

  private static OutputLayer head() {
    return new OutputLayer.Builder().name("out").nOut(3).activation(Activation.SOFTMAX).build();
  }

  private static MultiLayerNetwork network() {
    MultiLayerNetwork network =
        new MultiLayerNetwork(
            base()
                .list()
                .layer(new ConvolutionLayer.Builder(3, 3).name("conv").nOut(4).build())
                .layer(new DenseLayer.Builder().name("dense").nOut(8).build())
                .layer(head())
                .setInputType(InputType.convolutional(6, 6, 1))
                .build());
    network.init();
    return network;
  }

  private static ComputationGraph graph() {
    ComputationGraph graph =
        new ComputationGraph(
            base()
                .graphBuilder()
                .addInputs("in")
                .addLayer("conv", new ConvolutionLayer.Builder(3, 3).nOut(3).build(), "in")
                .addLayer(
                    "depthwise",
                    new DepthwiseConvolution2D.Builder(3, 3).depthMultiplier(2).build(),
                    "conv")
                .addLayer("out", head(), "depthwise")
                .setOutputs("out")
                .setInputTypes(InputType.convolutional(6, 6, 1))
                .build());
    graph.init();
    return graph;
  }

  private static DataSet batch() {
    Nd4j.getRandom().setSeed(3);
    INDArray features = Nd4j.randn(24, 1, 6, 6);
    INDArray labels = Nd4j.zeros(24, 3);
    for (int i = 0; i < 24; i++) {
      double mean = features.slice(i).meanNumber().doubleValue();
      labels.putScalar(i, mean < -0.07 ? 0 : mean < 0.07 ? 1 : 2, 1);
    }
    return new DataSet(features, labels);
  }

  @Test
  void inferenceComputesWhatTheCodesStandFor() {
    MultiLayerNetwork network = network();
    ComputationGraph graph = graph();
    INDArray features = batch().getFeatures();
    QuantizedModel ofNetwork = Quantization.of(network).weightBits(3).convert();
    QuantizedModel ofGraph = Quantization.of(graph).weightBits(3).convert();
    INDArray plain = network.output(features);
    assertEquals(Map.of(), FakeQuantizedWeights.attach(network, ofNetwork));
    assertEquals(Map.of(), FakeQuantizedWeights.attach(graph, ofGraph));

    assertEquals(ofNetwork.network().output(features).get(0), network.output(features));
    assertEquals(ofGraph.network().output(features).get(0), graph.outputSingle(features));
    assertFalse(plain.equals(network.output(features)));
    FakeQuantizedWeights.detach(network);
    assertEquals(plain, network.output(features));
  }

  @Test
  void floatWeightsLearnBehindTheCodesAndStayInTheirRange() {
    MultiLayerNetwork network = network();
    network.getParam("1_W").putScalar(0, 0, 0.9);
    QuantizedModel model = Quantization.of(network).weightBits(3).convert();
    FakeQuantizedWeights.attach(network, model);
    network.getParam("1_W").putScalar(0, 0, 900);
    DataSet batch = batch();
    double before = network.score(batch);
    INDArray start = network.getParam("1_W").dup();
    for (int i = 0; i < 60; i++) {
      network.fit(batch);
    }
    assertTrue(network.score(batch) < 0.7 * before, before + " to " + network.score(batch));
    assertFalse(start.equals(network.getParam("1_W")));
    assertTrue(network.getParam("1_W").amaxNumber().doubleValue() < 2);
  }

  @Test
  void graphsAndSequencesLearnToo() {
    ComputationGraph graph = graph();
    FakeQuantizedWeights.attach(graph, Quantization.of(graph).weightBits(4).convert());
    DataSet batch = batch();
    double before = graph.score(batch);
    for (int i = 0; i < 60; i++) {
      graph.fit(batch);
    }
    assertTrue(graph.score(batch) < 0.7 * before, before + " to " + graph.score(batch));

    MultiLayerNetwork sequences =
        new MultiLayerNetwork(
            base()
                .list()
                .layer(new LSTM.Builder().name("lstm").nOut(6).build())
                .layer(
                    new RnnOutputLayer.Builder()
                        .name("out")
                        .nOut(3)
                        .activation(Activation.SOFTMAX)
                        .build())
                .setInputType(InputType.recurrent(2, 5))
                .build());
    sequences.init();
    QuantizedModel model = Quantization.of(sequences).weightBits(4).convert();
    assertEquals(Map.of(), FakeQuantizedWeights.attach(sequences, model));
    INDArray features = Nd4j.randn(8, 2, 5);
    INDArray labels = Nd4j.zeros(8, 3, 5);
    labels.get(NDArrayIndex.all(), NDArrayIndex.point(1), NDArrayIndex.all()).assign(1);
    assertEquals(model.network().output(features).get(0), sequences.output(features));
    DataSet steps = new DataSet(features, labels);
    double start = sequences.score(steps);
    for (int i = 0; i < 30; i++) {
      sequences.fit(steps);
    }
    assertTrue(sequences.score(steps) < 0.7 * start, start + " to " + sequences.score(steps));
  }

  @Test
  void gradientPassesRoundingStraightThrough() {
    MultiLayerNetwork quantized = network();
    QuantizedModel model = Quantization.of(quantized).weightBits(4).convert();
    MultiLayerNetwork codes = (MultiLayerNetwork) model.toNetwork();
    FakeQuantizedWeights.attach(quantized, model);
    DataSet batch = batch();
    for (MultiLayerNetwork each : new MultiLayerNetwork[] {quantized, codes}) {
      each.setInput(batch.getFeatures());
      each.setLabels(batch.getLabels());
      each.computeGradientAndScore();
    }
    assertEquals(codes.gradient().gradient(), quantized.gradient().gradient());
  }

  @Test
  void conversionKeepsWhatWasTrained() {
    for (int bits : new int[] {2, 3, 4, 8}) {
      MultiLayerNetwork network = network();
      Quantization quantization = Quantization.of(network).weightBits(bits);
      FakeQuantizedWeights.attach(network, quantization.convert());
      DataSet batch = batch();
      for (int i = 0; i < 20; i++) {
        network.fit(batch);
      }
      INDArray promised = network.output(batch.getFeatures());
      INDArray floats = network.params().dup();
      FakeQuantizedWeights.settle(network);
      assertFalse(floats.equals(network.params()));
      assertEquals(promised, network.output(batch.getFeatures()));
      QuantizedModel tuned = Quantization.of(network).weightBits(bits).convert();
      assertEquals(promised, tuned.network().output(batch.getFeatures()).get(0), bits + " bits");
      assertEquals(network.params(), tuned.toNetwork().params(), bits + " bits");
    }
  }

  @Test
  void configurationsSurviveJson() {
    MultiLayerNetwork network = network();
    FakeQuantizedWeights.attach(network, Quantization.of(network).weightBits(4).convert());
    MultiLayerConfiguration layers = network.getLayerWiseConfigurations();
    assertEquals(layers, MultiLayerConfiguration.fromJson(layers.toJson()));
    assertTrue(layers.toJson().contains("FakeQuantizedWeights"));
    ComputationGraph graph = graph();
    FakeQuantizedWeights.attach(graph, Quantization.of(graph).weightBits(4).convert());
    ComputationGraphConfiguration vertices = graph.getConfiguration();
    assertEquals(vertices, ComputationGraphConfiguration.fromJson(vertices.toJson()));
  }

  @Test
  void trainingGoesOnAfterRestoring(@TempDir Path folder) throws IOException {
    MultiLayerNetwork network = network();
    FakeQuantizedWeights.attach(network, Quantization.of(network).weightBits(4).convert());
    DataSet batch = batch();
    network.fit(batch);
    Path file = folder.resolve("network.zip");
    ModelSerializer.writeModel(network, file.toFile(), true);
    MultiLayerNetwork restored = ModelSerializer.restoreMultiLayerNetwork(file.toFile());
    for (int i = 0; i < 3; i++) {
      network.fit(batch);
      restored.fit(batch);
    }
    assertEquals(network.params(), restored.params());
  }

  @Test
  void layersThatIgnoreWeightNoiseAreNamed() {
    MultiLayerNetwork network =
        new MultiLayerNetwork(
            base()
                .list()
                .layer(new Convolution1DLayer.Builder(3).name("conv").nOut(4).build())
                .layer(new GlobalPoolingLayer())
                .layer(head())
                .setInputType(InputType.recurrent(2, 8))
                .build());
    network.init();
    QuantizedModel model = Quantization.of(network).weightBits(4).convert();
    assertEquals(
        Map.of("conv", "DL4J gives weight noise no say in a Convolution1DLayer"),
        FakeQuantizedWeights.attach(network, model));
  }
}
