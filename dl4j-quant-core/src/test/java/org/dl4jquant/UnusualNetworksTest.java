package org.dl4jquant;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.deeplearning4j.datasets.iterator.utilty.SingletonDataSetIterator;
import org.deeplearning4j.datasets.iterator.utilty.SingletonMultiDataSetIterator;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.CNN2DFormat;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration.GraphBuilder;
import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex;
import org.deeplearning4j.nn.conf.graph.GraphVertex;
import org.deeplearning4j.nn.conf.graph.L2NormalizeVertex;
import org.deeplearning4j.nn.conf.graph.ScaleVertex;
import org.deeplearning4j.nn.conf.graph.ShiftVertex;
import org.deeplearning4j.nn.conf.graph.StackVertex;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.conf.layers.SpaceToDepthLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.dl4j.GraphComparison;
import org.dl4jquant.dl4j.Tensors;
import org.dl4jquant.execute.IntegerNetwork;
import org.dl4jquant.export.PackedArchive;
import org.dl4jquant.onnx.OnnxOptions;
import org.dl4jquant.onnxruntime.OnnxComparison;
import org.dl4jquant.precision.LayerSelector;
import org.dl4jquant.precision.Target;
import org.dl4jquant.stats.Sqnr;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.factory.Nd4j;

/** Networks that convert although something in them is unlike the others. */
final class UnusualNetworksTest {
  private static final int INPUTS = 6;
  private static final int HIDDEN = 8;

  @ParameterizedTest
  @ValueSource(strings = {"scale", "shift", "subtract", "average", "average of three", "residual"})
  void verticesWithConstantsComputeInFloat(String kind) {
    GraphBuilder graph =
        new NeuralNetConfiguration.Builder()
            .seed(5)
            .graphBuilder()
            .addInputs("in")
            .addLayer("a", dense(INPUTS, Activation.RELU), "in")
            .addLayer("b", dense(INPUTS, Activation.TANH), "in")
            .addLayer("c", dense(HIDDEN, Activation.TANH), "b");
    switch (kind) {
      case "scale" -> graph.addVertex("v", new ScaleVertex(0.3), "a");
      case "shift" -> graph.addVertex("v", new ShiftVertex(0.7), "a");
      case "subtract" -> graph.addVertex("v", vertex(ElementWiseVertex.Op.Subtract), "a", "b");
      case "average" -> graph.addVertex("v", vertex(ElementWiseVertex.Op.Average), "a", "b");
      case "average of three" ->
          graph.addVertex("v", vertex(ElementWiseVertex.Op.Average), "a", "b", "c");
      default ->
          graph
              .addVertex("half", new ScaleVertex(0.5), "a")
              .addVertex("v", vertex(ElementWiseVertex.Op.Add), "half", "c");
    }
    graph.allowDisconnected(true).addLayer("out", output(), "v").setOutputs("out");
    ComputationGraph network = new ComputationGraph(graph.build());
    network.init();

    INDArray x = examples();
    requireConverts(network, network.output(x)[0], x);
  }

  /** What weight decay leaves of units that never fire. */
  @ParameterizedTest
  @CsvSource({
    "1e-10, -0.3, 1",
    "1e-16, 0, 0.01",
    "1e-18, 1e-28, 1",
    "6e-28, -0.3, 0.01",
    "1e-37, 1e-12, 1"
  })
  void aChannelOfAlmostNothingDoesNotWidenTheSums(double weight, double bias, double inputs) {
    MultiLayerNetwork network = twoLayers();
    for (int row = 0; row < INPUTS; row++) {
      network.getLayer(0).getParam("W").putScalar(row, 2, weight * (row - 2.5));
    }
    network.getLayer(0).getParam("b").putScalar(2, bias);

    INDArray x = examples().muli(inputs);
    QuantizedModel model = requireConverts(network, network.output(x), x);
    assertTrue(
        model.toIntegerNetwork().accumulatorBits().values().stream().allMatch(bits -> bits <= 56),
        () -> model.toIntegerNetwork().accumulatorBits().toString());
  }

  @Test
  void weightsOfAnyScaleAreQuantizedAlike() {
    for (double scale : new double[] {1e-8, 1, 1e8}) {
      MultiLayerNetwork network = twoLayers();
      network.getLayer(0).getParam("W").muli(scale);
      network.getLayer(1).getParam("W").divi(scale);
      INDArray x = examples();
      requireConverts(network, network.output(x), x);
    }
  }

  /** A power of two between two layers changes no code, however large or small values become. */
  @ParameterizedTest
  @ValueSource(ints = {-50, -40, -20, 20, 40, 53})
  void valuesFarFromOneHaveTheSameCodes(int exponent, @TempDir Path folder) {
    for (Target target : Target.values()) {
      INDArray x = Nd4j.rand(DataType.FLOAT, 40, 2, 6, 6);
      ComputationGraph plain = residual(0);
      QuantizedModel expected = Quantization.of(plain).target(target).calibrate(x).convert();
      ComputationGraph far = residual(exponent);
      QuantizedModel model = requireConverts(far, plain.output(x)[0], x, target);
      assertEquals(expected.output(x), model.output(x));
      IntegerNetwork one = expected.toIntegerNetwork();
      IntegerNetwork other = model.toIntegerNetwork();
      assertEquals(one.accumulatorBits(), other.accumulatorBits());
      for (String node : List.of("stem", "body", "act")) {
        assertArrayEquals(
            one.layerCodes(node, Tensors.of(x)).codes(),
            other.layerCodes(node, Tensors.of(x)).codes(),
            node);
      }
      PackedArchive.write(model, folder.resolve("far.dq.zip"));
      assertEquals(model.output(x), PackedArchive.read(folder.resolve("far.dq.zip")).output(x));
      DataSet data = new DataSet(x, Nd4j.zeros(40, 4));
      OnnxComparison onnx = model.verifyOnnx(new SingletonDataSetIterator(data));
      assertTrue(onnx.maxDifference() <= 1 && onnx.outputDifference() < 0.01, onnx::toJson);
    }
  }

  @Test
  void valuesBeyondAllFormatsAreRefusedByName() {
    INDArray x = Nd4j.rand(DataType.FLOAT, 40, 2, 6, 6);
    for (int exponent : new int[] {-100, 100}) {
      ComputationGraph far = residual(exponent);
      String message =
          assertThrows(
                  IllegalArgumentException.class, () -> Quantization.of(far).calibrate(x).convert())
              .getMessage();
      assertTrue(
          message.startsWith(
              exponent < 0
                  ? "values of 'stem' must exceed 4.3368087E-19 in magnitude to become codes, found"
                  : "values of 'stem' must be below 3.0105"),
          message);
      assertTrue(
          message.endsWith(
              " at most: scale the weights before and after it, or keep layer 'stem' float"),
          message);
      Quantization.of(far).keepFloat(LayerSelector.matching("*")).calibrate(x).convert();
    }
  }

  /** Where weights have died, the bias alone is left. */
  @Test
  void aBiasThatDwarfsAllProductsIsCarried() {
    MultiLayerNetwork network = twoLayers();
    network.getLayer(0).getParam("W").muli(1e-17);
    for (int c = 0; c < HIDDEN; c++) {
      network.getLayer(0).getParam("b").putScalar(c, 0.1 * c - 0.2);
    }
    INDArray x = examples();
    QuantizedModel model = requireConverts(network, network.output(x), x);
    assertTrue(model.accumulatorBits().get("layer0") <= 50, model.accumulatorBits()::toString);
  }

  /** No layer tells what a vertex right behind the input takes; the data do. */
  @Test
  void theFirstBatchTellsShapesThatNoLayerDoes(@TempDir Path folder) {
    ComputationGraph network = behindInputs(new L2NormalizeVertex());
    INDArray[] inputs = {examples(), examples().addi(1).muli(3)};
    MultiDataSet data = new MultiDataSet(inputs, new INDArray[] {Nd4j.zeros(64, 4)});
    Quantization calibrated =
        Quantization.of(network).calibrate(new SingletonMultiDataSetIterator(data));
    QuantizedModel model = calibrated.convert();
    assertEquals(
        model.activations(), Quantization.of(network).calibrate(inputs).convert().activations());
    INDArray codes = model.output(inputs).get(0);
    double sqnr =
        Sqnr.decibels(
            network.output(inputs)[0].dup().data().asFloat(), codes.dup().data().asFloat());
    assertTrue(sqnr > 30, () -> "SQNR " + sqnr + " dB");
    assertEquals(
        0,
        codes.distance1(((ComputationGraph) model.toNetwork()).output(inputs)[0]),
        1e-5); // softmax in float
    model.save(folder.resolve("model.dq.zip"));
    QuantizedModel loaded = QuantizedModel.load(folder.resolve("model.dq.zip"));
    assertEquals(Set.of("a", "b"), loaded.content().inputShapes().keySet());
    assertEquals(codes, loaded.output(inputs).get(0));
    assertEquals(model.report().table(), loaded.report().toString());
    assertTrue(calibrated.toFloatOnnx(OnnxOptions.defaults()).toByteArray().length > 0);
  }

  /** The first convolution has the channels that the layer makes of positions, not the input's. */
  @Test
  void positionsThatBecomeChannelsTellTheInput() {
    MultiLayerNetwork network =
        GraphComparison.network(
            InputType.convolutional(8, 8, 3),
            new SpaceToDepthLayer.Builder<>(2, CNN2DFormat.NCHW).build(),
            new ConvolutionLayer.Builder(3, 3).nOut(5).activation(Activation.RELU).build(),
            output());
    INDArray images = Nd4j.randn(40, 3, 8, 8);
    QuantizedModel model = Quantization.of(network).calibrate(images).convert();
    double sqnr =
        Sqnr.decibels(
            network.output(images).dup().data().asFloat(),
            model.output(images).get(0).dup().data().asFloat());
    assertTrue(sqnr > 30, () -> "SQNR " + sqnr + " dB");
  }

  @Test
  void aVertexThatChangesTheBatchIsRefusedByName() {
    ComputationGraph network =
        new ComputationGraph(
            new NeuralNetConfiguration.Builder()
                .graphBuilder()
                .addInputs("a", "b")
                .addVertex("stack", new StackVertex(), "a", "b")
                .addLayer("out", dense(INPUTS, Activation.RELU), "stack")
                .setOutputs("out")
                .build());
    network.init();
    String message =
        assertThrows(
                IllegalArgumentException.class,
                () -> Quantization.of(network).calibrate(examples(), examples()))
            .getMessage();
    assertTrue(message.contains("'stack'") && message.contains("batch"), message);
  }

  private static ComputationGraph behindInputs(GraphVertex vertex) {
    ComputationGraph network =
        new ComputationGraph(
            new NeuralNetConfiguration.Builder()
                .seed(5)
                .graphBuilder()
                .addInputs("a", "b")
                .addVertex("v", vertex, "a")
                .addVertex("w", vertex, "b")
                .addVertex("sum", vertex(ElementWiseVertex.Op.Add), "v", "w")
                .addLayer("hidden", dense(INPUTS, Activation.RELU), "sum")
                .addLayer("out", output(), "hidden")
                .setOutputs("out")
                .build());
    network.init();
    return network;
  }

  private static ComputationGraph residual(int exponent) {
    ComputationGraph network =
        new ComputationGraph(
            new NeuralNetConfiguration.Builder()
                .seed(11)
                .convolutionMode(ConvolutionMode.Same)
                .graphBuilder()
                .addInputs("in")
                .setInputTypes(InputType.convolutional(6, 6, 2))
                .addLayer("stem", convolution(Activation.RELU), "in")
                .addLayer("body", convolution(Activation.IDENTITY), "stem")
                .addVertex("sum", vertex(ElementWiseVertex.Op.Add), "stem", "body")
                .addLayer("act", new ActivationLayer(Activation.RELU), "sum")
                .addLayer("pool", new GlobalPoolingLayer(PoolingType.AVG), "act")
                .addLayer(
                    "out",
                    new OutputLayer.Builder().nOut(4).activation(Activation.SOFTMAX).build(),
                    "pool")
                .setOutputs("out")
                .build());
    network.init();
    for (String bias : List.of("stem", "body")) {
      for (int c = 0; c < 3; c++) {
        network.getLayer(bias).getParam("b").putScalar(c, 0.11 * c - 0.07);
      }
    }
    double factor = Math.scalb(1.0, exponent);
    network.getLayer("stem").getParam("W").muli(factor);
    network.getLayer("stem").getParam("b").muli(factor);
    network.getLayer("body").getParam("b").muli(factor);
    network.getLayer("out").getParam("W").muli(1 / factor);
    return network;
  }

  private static ConvolutionLayer convolution(Activation activation) {
    return new ConvolutionLayer.Builder(3, 3).nOut(3).activation(activation).build();
  }

  private static QuantizedModel requireConverts(Model network, INDArray wanted, INDArray x) {
    return requireConverts(network, wanted, x, Target.INTEGER);
  }

  private static QuantizedModel requireConverts(
      Model network, INDArray wanted, INDArray x, Target target) {
    QuantizedModel model = Quantization.of(network).target(target).calibrate(x).convert();
    INDArray codes = model.output(x).get(0);
    Model fake = model.toNetwork();
    INDArray same =
        fake instanceof ComputationGraph graph
            ? graph.output(x)[0]
            : ((MultiLayerNetwork) fake).output(x);
    assertEquals(0, same.sub(codes).amaxNumber().doubleValue(), 1e-6); // softmax in float
    double sqnr = Sqnr.decibels(wanted.dup().data().asFloat(), codes.dup().data().asFloat());
    assertTrue(sqnr > 30, () -> "SQNR " + sqnr + " dB");
    return model;
  }

  private static MultiLayerNetwork twoLayers() {
    MultiLayerNetwork network =
        new MultiLayerNetwork(
            new NeuralNetConfiguration.Builder()
                .seed(3)
                .list()
                .layer(dense(INPUTS, Activation.RELU))
                .layer(output())
                .build());
    network.init();
    return network;
  }

  private static INDArray examples() {
    Nd4j.getRandom().setSeed(7);
    return Nd4j.rand(new int[] {64, INPUTS}).subi(0.5);
  }

  private static DenseLayer dense(int inputs, Activation activation) {
    return new DenseLayer.Builder().nIn(inputs).nOut(HIDDEN).activation(activation).build();
  }

  private static OutputLayer output() {
    return new OutputLayer.Builder().nIn(HIDDEN).nOut(4).activation(Activation.SOFTMAX).build();
  }

  private static ElementWiseVertex vertex(ElementWiseVertex.Op op) {
    return new ElementWiseVertex(op);
  }
}
