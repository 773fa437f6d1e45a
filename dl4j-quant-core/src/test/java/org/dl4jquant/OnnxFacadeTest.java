package org.dl4jquant;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.deeplearning4j.datasets.iterator.utilty.ListDataSetIterator;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.Convolution1DLayer;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.EmbeddingSequenceLayer;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.GravesLSTM;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.conf.layers.SeparableConvolution2D;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.deeplearning4j.nn.conf.layers.recurrent.Bidirectional;
import org.deeplearning4j.nn.conf.layers.recurrent.LastTimeStep;
import org.deeplearning4j.nn.conf.layers.recurrent.SimpleRnn;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.convert.QuantizedModel;
import org.dl4jquant.dl4j.Dl4jNetwork;
import org.dl4jquant.dl4j.GraphComparison;
import org.dl4jquant.graph.ActivationFormat;
import org.dl4jquant.onnx.OnnxModel;
import org.dl4jquant.onnx.OnnxOptions;
import org.dl4jquant.onnx.UnsupportedOnnxException;
import org.dl4jquant.onnxruntime.OnnxComparison;
import org.dl4jquant.onnxruntime.OnnxNetwork;
import org.dl4jquant.precision.Target;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.nd4j.linalg.learning.config.Adam;

@SuppressWarnings("deprecation") // users still have networks of the old kinds
final class OnnxFacadeTest {
  private static final int CLASSES = 3;

  @TempDir Path folder;

  /** Bars of three directions in noise. */
  private static DataSet bars(int examples, long seed) {
    Random random = new Random(seed);
    INDArray images = Nd4j.create(examples, 1, 8, 8);
    INDArray labels = Nd4j.create(examples, CLASSES);
    for (int e = 0; e < examples; e++) {
      int kind = random.nextInt(CLASSES);
      int at = 1 + random.nextInt(6);
      for (int i = 0; i < 64; i++) {
        int row = i / 8;
        int column = i % 8;
        boolean bar = kind == 0 ? row == at : kind == 1 ? column == at : (row + column) % 8 == at;
        images.putScalar(e, 0, row, column, (bar ? 1 : 0) + 0.3 * random.nextGaussian());
      }
      labels.putScalar(e, kind, 1);
    }
    return new DataSet(images, labels);
  }

  private static DataSetIterator iterator(DataSet data) {
    return new ListDataSetIterator<>(data.asList(), 50);
  }

  private static ConvolutionLayer.Builder convolution() {
    return new ConvolutionLayer.Builder(3, 3)
        .nOut(8)
        .hasBias(false)
        .convolutionMode(ConvolutionMode.Same)
        .activation(Activation.IDENTITY);
  }

  private static ActivationLayer relu() {
    return new ActivationLayer.Builder().activation(Activation.RELU).build();
  }

  private static OutputLayer output() {
    return new OutputLayer.Builder()
        .name("out")
        .nOut(CLASSES)
        .activation(Activation.SOFTMAX)
        .build();
  }

  /** Trained until its logits are large. */
  private static MultiLayerNetwork layers() {
    MultiLayerNetwork network =
        new MultiLayerNetwork(
            new NeuralNetConfiguration.Builder()
                .seed(4)
                .updater(new Adam(0.02))
                .list()
                .layer(convolution().build())
                .layer(new BatchNormalization.Builder().build())
                .layer(relu())
                .layer(new SubsamplingLayer.Builder().kernelSize(2, 2).stride(2, 2).build())
                .layer(output())
                .setInputType(InputType.convolutional(8, 8, 1))
                .build());
    network.init();
    DataSet data = bars(200, 1);
    for (int i = 0; i < 80; i++) {
      network.fit(data);
    }
    return network;
  }

  private static ComputationGraph residual() {
    ComputationGraph network =
        new ComputationGraph(
            new NeuralNetConfiguration.Builder()
                .seed(4)
                .updater(new Adam(0.02))
                .graphBuilder()
                .addInputs("in")
                .addLayer("stem", convolution().activation(Activation.RELU).build(), "in")
                .addLayer("conv", convolution().build(), "stem")
                .addLayer("norm", new BatchNormalization.Builder().build(), "conv")
                .addVertex("sum", new ElementWiseVertex(ElementWiseVertex.Op.Add), "norm", "stem")
                .addLayer("relu", relu(), "sum")
                .addLayer("mean", new GlobalPoolingLayer(PoolingType.AVG), "relu")
                .addLayer("out", output(), "mean")
                .setOutputs("out")
                .setInputTypes(InputType.convolutional(8, 8, 1))
                .build());
    network.init();
    DataSet data = bars(200, 1);
    for (int i = 0; i < 40; i++) {
      network.fit(data);
    }
    return network;
  }

  private void checkIntegers(Model network, Target target) {
    QuantizedModel model =
        Quantization.of(network)
            .target(target)
            .weightBits(8)
            .calibrate(iterator(bars(100, 3)))
            .convert();
    assertEquals(Optional.of(target), model.plan().target());
    assertEquals(
        target == Target.ONNX,
        model.activations().values().stream().allMatch(ActivationFormat::perTensor));
    Path file = folder.resolve(network.getClass().getSimpleName() + ".onnx");
    OnnxModel onnx = model.exportOnnx(file);
    assertEquals(17, onnx.opset());
    assertEquals(model.provenance().sourceSha256(), onnx.metadata().get("dl4j-quant.source"));
    assertEquals(model.plan().toJson(), onnx.metadata().get("dl4j-quant.plan"));
    DataSetIterator data = iterator(bars(300, 7));
    OnnxComparison found = model.verifyOnnx(data, file);
    assertEquals(found, model.verifyOnnx(data));
    assertTrue(found.elements() > 100_000, found.toJson());
    assertEquals(0, found.mismatches(), found.toJson());
    assertEquals(0, found.outputDifference(), 1e-6, found.toJson());
    OnnxModel newer = model.toOnnx(OnnxOptions.builder().opset(21).build());
    assertTrue(newer.metadata().get("dl4j-quant.codes").contains("INT16"), newer::toString);
    newer.writeTo(file);
    assertEquals(found, model.verifyOnnx(data, file));
  }

  private void checkFloat(Model network, INDArray input) {
    Path file = folder.resolve("float.onnx");
    Quantization.of(network).exportFloatOnnx(file);
    INDArray expected = Dl4jNetwork.of(network).output(input).get(0);
    try (OnnxNetwork onnx = OnnxNetwork.open(file)) {
      INDArray found = onnx.output(input);
      assertArrayEquals(expected.shape(), found.shape());
      assertEquals(0, expected.sub(found).amaxNumber().doubleValue(), 1e-4);
    }
  }

  @Test
  void everyEdgeOfALayerNetworkIsEqual() {
    MultiLayerNetwork network = layers();
    checkIntegers(network, Target.ONNX);
    checkIntegers(network, Target.INTEGER);
    checkFloat(network, bars(100, 5).getFeatures());
  }

  @Test
  void everyEdgeOfAGraphIsEqual() {
    ComputationGraph network = residual();
    checkIntegers(network, Target.ONNX);
    checkIntegers(network, Target.INTEGER);
    checkFloat(network, bars(100, 5).getFeatures());
  }

  private void checkWeights(Model network, INDArray input, int bits) throws Exception {
    QuantizedModel model = Quantization.of(network).weightBits(bits).convert();
    DataSetIterator data = iterator(new DataSet(input, Nd4j.zeros(input.size(0), 1)));
    OnnxComparison found = model.verifyOnnx(data);
    assertEquals(0, found.outputDifference(), 1e-4);
    Path floats = folder.resolve("float.onnx");
    Quantization.of(network).exportFloatOnnx(floats);
    Path packed = folder.resolve("packed.onnx");
    model.exportOnnx(packed, OnnxOptions.builder().opset(21).fourBitWeights(bits == 4).build());
    assertEquals(0, model.verifyOnnx(data, packed).outputDifference(), 1e-4);
    double ratio = (double) Files.size(packed) / Files.size(floats);
    assertTrue(ratio < (bits == 4 ? 0.3 : 0.45), bits + " bits: " + ratio);
  }

  /** DL4J keeps the multiplier on the first axis, the graph counts it within the channels. */
  @Test
  void weightsOfSeparableLayersKeepTheirFormats() {
    MultiLayerNetwork network =
        GraphComparison.network(
            InputType.convolutional(9, 9, 3),
            new SeparableConvolution2D.Builder(3, 3).depthMultiplier(4).nOut(8).build(),
            new OutputLayer.Builder().nOut(4).activation(Activation.SOFTMAX).build());
    INDArray kernels = network.getLayer(0).getParam("W"); // [multiplier, in, height, width]
    for (int channel = 0; channel < 3; channel++) {
      kernels.get(NDArrayIndex.point(1), NDArrayIndex.point(channel)).muli(1 << (3 * channel));
    }
    INDArray input = Nd4j.randn(20, 3, 9, 9);
    QuantizedModel model = Quantization.of(network).weightBits(6).convert();
    DataSetIterator data = iterator(new DataSet(input, Nd4j.zeros(20, 1)));
    assertEquals(0, model.verifyOnnx(data).outputDifference(), 1e-4);
  }

  @Test
  void whatComputesInFloatPromisesNothing() {
    MultiLayerNetwork network =
        GraphComparison.network(
            InputType.recurrent(6, 5),
            new DenseLayer.Builder().nOut(8).activation(Activation.RELU).build(),
            new LSTM.Builder().nOut(7).build(),
            new RnnOutputLayer.Builder().nOut(3).activation(Activation.SOFTMAX).build());
    OnnxModel model =
        Quantization.of(network)
            .target(Target.ONNX)
            .calibrate(GraphComparison.random(3, 40, 6, 5))
            .convert()
            .toOnnx();
    assertEquals(
        Map.of(network.getLayerNames().get(1), "it is computed in float"), model.unpromised());
  }

  @Test
  void poolingThatCannotBeWrittenIsNamed() {
    MultiLayerNetwork network =
        GraphComparison.network(
            InputType.convolutional(8, 8, 2),
            new SubsamplingLayer.Builder(PoolingType.PNORM).pnorm(3).name("norms").build(),
            new OutputLayer.Builder().nOut(4).activation(Activation.SOFTMAX).build());
    UnsupportedOnnxException refused =
        assertThrows(
            UnsupportedOnnxException.class,
            () -> Quantization.of(network).toFloatOnnx(OnnxOptions.defaults()));
    assertEquals(
        "SubsamplingLayer 'norms' cannot be written as ONNX:"
            + " nothing in ONNX is known for layers of kind SubsamplingLayer by PNORM",
        refused.getMessage());
  }

  private static MultiLayerNetwork recurrent() {
    return GraphComparison.network(
        InputType.recurrent(20),
        new Bidirectional(new LSTM.Builder().nOut(32).build()),
        new GravesLSTM.Builder().nOut(40).activation(Activation.SOFTSIGN).build(),
        new SimpleRnn.Builder().nOut(40).build(),
        new RnnOutputLayer.Builder().nOut(5).activation(Activation.SOFTMAX).build());
  }

  @Test
  void weightsOfRecurrentLayersAreCodes() throws Exception {
    checkWeights(recurrent(), GraphComparison.random(1, 30, 20, 7), 8);
    checkWeights(recurrent(), GraphComparison.random(1, 30, 20, 7), 4);
    MultiLayerNetwork last =
        GraphComparison.network(
            InputType.recurrent(40),
            new LastTimeStep(new LSTM.Builder().nOut(64).build()),
            new OutputLayer.Builder().nOut(8).activation(Activation.SOFTMAX).build());
    checkWeights(last, GraphComparison.random(1, 30, 40, 9), 8);
  }

  @Test
  void weightsOfEmbeddingsAreCodes() throws Exception {
    MultiLayerNetwork network =
        GraphComparison.network(
            InputType.feedForward(500),
            new EmbeddingSequenceLayer.Builder().nIn(500).nOut(16).inputLength(6).build(),
            new Convolution1DLayer.Builder(2).nOut(8).build(),
            new GlobalPoolingLayer(PoolingType.MAX),
            new OutputLayer.Builder().nOut(4).activation(Activation.SOFTMAX).build());
    Random random = new Random(9);
    INDArray indices = Nd4j.create(40, 6);
    for (int i = 0; i < 240; i++) {
      indices.putScalar(i / 6, i % 6, random.nextInt(500));
    }
    checkWeights(network, indices, 8);
    checkWeights(network, indices, 4);
  }

  @Test
  void largeConstantsStandBesideTheFile() throws Exception {
    MultiLayerNetwork network = recurrent();
    Path file = folder.resolve("large.onnx");
    OnnxOptions options = OnnxOptions.builder().externalDataAbove(0).build();
    Quantization.of(network).exportFloatOnnx(file, options);
    assertTrue(Files.size(folder.resolve("large.onnx.data")) > 50_000);
    INDArray input = GraphComparison.random(2, 6, 20, 5);
    INDArray expected = network.output(input);
    try (OnnxNetwork onnx = OnnxNetwork.open(file)) {
      assertEquals(0, expected.sub(onnx.output(input)).amaxNumber().doubleValue(), 1e-4);
    }
  }

  @Test
  void fourBitWeightsNeedTheirOpset() {
    assertEquals(
        "opset must be 21 at least for weights of 4 bits, found 17",
        assertThrows(
                IllegalArgumentException.class,
                () -> OnnxOptions.builder().opset(17).fourBitWeights(true).build())
            .getMessage());
    OnnxModel model =
        Quantization.of(recurrent())
            .weightBits(4)
            .convert()
            .toOnnx(OnnxOptions.builder().fourBitWeights(true).build());
    assertEquals(21, model.opset());
  }
}
