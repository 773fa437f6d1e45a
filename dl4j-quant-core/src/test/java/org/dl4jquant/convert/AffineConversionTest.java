package org.dl4jquant.convert;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.common.collect.ImmutableMap;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.Quantization;
import org.dl4jquant.dl4j.Dl4jNetwork;
import org.dl4jquant.dl4j.Tensors;
import org.dl4jquant.execute.IntegerNetwork;
import org.dl4jquant.export.PackedArchive;
import org.dl4jquant.export.PlainArchive;
import org.dl4jquant.format.AffineParameters;
import org.dl4jquant.graph.ActivationFormat;
import org.dl4jquant.precision.LayerPrecision;
import org.dl4jquant.precision.PrecisionPlan;
import org.dl4jquant.precision.Scheme;
import org.dl4jquant.precision.Target;
import org.dl4jquant.stats.Sqnr;
import org.dl4jquant.strategy.FormatStrategy;
import org.dl4jquant.tensor.QuantizedTensor;
import org.dl4jquant.tensor.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

final class AffineConversionTest {
  private static final int SEEDS = 40;

  @TempDir Path folder;

  private static MultiLayerNetwork network(Activation activation) {
    MultiLayerNetwork network =
        new MultiLayerNetwork(
            new NeuralNetConfiguration.Builder()
                .seed(9)
                .activation(activation)
                .convolutionMode(ConvolutionMode.Same)
                .list()
                .layer(new ConvolutionLayer.Builder(3, 3).nOut(8).name("first").build())
                .layer(new ConvolutionLayer.Builder(3, 3).nOut(8).name("second").build())
                .layer(
                    new OutputLayer.Builder(LossFunction.MSE)
                        .nOut(4)
                        .name("out")
                        .activation(Activation.IDENTITY)
                        .build())
                .setInputType(InputType.convolutional(8, 8, 3))
                .build());
    network.init();
    return network;
  }

  private static double decibels(Model network, QuantizedModel quantized, INDArray input) {
    return Sqnr.decibels(
        Tensors.of(Dl4jNetwork.of(network).output(input).get(0)).values(),
        Tensors.of(quantized.output(input).get(0)).values());
  }

  @Test
  void randomNetworksComeNearTheFloatOnesAndTheFakeQuantizedOnes() {
    double gained = 0;
    long elements = 0;
    long different = 0;
    for (int seed = 0; seed < SEEDS; seed++) {
      RandomNetworks networks = new RandomNetworks(seed);
      InputType type = networks.input();
      Model model = seed % 2 == 0 ? networks.layers(type) : networks.graph(type);
      PrecisionPlan plan = PrecisionPlan.uniform(LayerPrecision.of(8, 8));
      Conversion conversion = Conversion.DEFAULT.withTarget(Target.ONNX);
      INDArray data = ConversionTest.input(type, 40, 2L * seed);
      Dl4jNetwork network = Dl4jNetwork.of(model);
      QuantizedModel affine =
          conversion
              .withScheme(Scheme.AFFINE)
              .convert(network, plan, ConversionTest.profiles(model, data));
      QuantizedModel fixed =
          conversion
              .withAlignment(Alignment.NONE)
              .convert(network, plan, ConversionTest.profiles(model, data));
      String what =
          "seed " + seed + " " + affine.layers().stream().map(QuantizedLayer::kind).toList();
      for (ActivationFormat format : affine.activations().values()) {
        assertTrue(format.formats().get(0) instanceof AffineParameters, what);
      }
      assertEquals(Scheme.AFFINE, affine.plan().scheme().orElseThrow());
      IntegerNetwork integers = affine.toIntegerNetwork();
      Tensor own =
          integers
              .outputs(ImmutableMap.of(integers.graph().graph().inputs().get(0), Tensors.of(data)))
              .values()
              .iterator()
              .next();
      float[] fake = Tensors.of(affine.network().output(data).get(0)).values();
      float[] floats = Tensors.of(network.output(data).get(0)).values();
      double step = largest(floats) / 128;
      for (int i = 0; i < fake.length; i++) {
        elements++;
        different += Math.abs(fake[i] - own.values()[i]) > 1e-6 * (1 + step) ? 1 : 0;
      }
      double own8 = Math.min(60, Sqnr.decibels(floats, own.values()));
      double fixed8 = Math.min(60, decibels(model, fixed, data));
      gained += (own8 - fixed8) / SEEDS;
    }
    assertTrue(gained > 1, "only " + gained + " dB better than fixed point");
    assertTrue(different <= elements / 100, different + " of " + elements + " outputs differ");
  }

  private static double largest(float[] values) {
    double largest = 0;
    for (float value : values) {
      largest = Math.max(largest, Math.abs(value));
    }
    return largest;
  }

  @Test
  void formatsAreWhatTheRangesAskFor() {
    MultiLayerNetwork network = network(Activation.RELU);
    INDArray data = Nd4j.rand(20, 3, 8, 8).muli(3).subi(1);
    QuantizedModel model =
        Quantization.of(network)
            .scheme(Scheme.AFFINE)
            .strategy(FormatStrategy.maxAbs())
            .calibrate(data)
            .convert();
    double least = data.minNumber().doubleValue();
    double most = data.maxNumber().doubleValue();
    String input = model.toIntegerNetwork().graph().graph().inputs().get(0);
    AffineParameters format = (AffineParameters) model.activations().get(input).formats().get(0);
    assertEquals(AffineParameters.covering(least, most, 8, false), format);
    AffineParameters relu = (AffineParameters) model.activations().get("first").formats().get(0);
    assertEquals(0, relu.zeroPoint());
    AffineParameters logits = (AffineParameters) model.activations().get("out").formats().get(0);
    assertEquals(16, logits.bitWidth());
    assertTrue(logits.zeroPoint() > 1000 && logits.zeroPoint() < 64000, logits.toString());
    QuantizedParameter weight = model.layers().get(0).parameters().get(1);
    assertEquals(8, weight.codes().orElseThrow().formats().size());
    for (var each : weight.codes().orElseThrow().formats()) {
      assertEquals(0, ((AffineParameters) each).zeroPoint());
    }
    assertTrue(decibels(network, model, data) > 35);
  }

  @Test
  void everyStrategyThatKnowsRangesWorksAndTheOthersAreRefused() {
    MultiLayerNetwork network = network(Activation.TANH);
    INDArray data = Nd4j.randn(64, 3, 8, 8);
    Quantization start = Quantization.of(network).scheme(Scheme.AFFINE).calibrate(data);
    for (String name : List.of("max-abs", "percentile:99.9", "sigma:4", "mse", "kl", "auto")) {
      QuantizedModel model = start.strategy(FormatStrategy.named(name)).convert();
      double decibels = decibels(network, model, Nd4j.randn(64, 3, 8, 8));
      assertTrue(decibels > 25, name + ": " + decibels + " dB");
    }
    for (String name : List.of("pdf", "pdf:kurtosis", "channel-statistics")) {
      Quantization other = start.strategy(FormatStrategy.named(name));
      assertEquals(
          "strategy must be max-abs, percentile, sigma, mse, kl or auto for the scheme affine,"
              + " found "
              + name,
          assertThrows(IllegalArgumentException.class, other::convert).getMessage());
    }
    Quantization aligned = start.alignment(Alignment.SHIFT_MAX);
    assertEquals(
        "alignment must be none or not set for the scheme affine, whose formats are one per"
            + " value, found shift-max",
        assertThrows(IllegalArgumentException.class, aligned::convert).getMessage());
  }

  @Test
  void archivesBringBackTheSameCodesAndFormats() {
    MultiLayerNetwork network = network(Activation.LEAKYRELU);
    INDArray data = Nd4j.randn(32, 3, 8, 8);
    org.dl4jquant.QuantizedModel model =
        Quantization.of(network).scheme(Scheme.AFFINE).weightBits(5).calibrate(data).convert();
    Path packed = folder.resolve("affine.dq.zip");
    PackedArchive.write(model, packed);
    QuantizedModel read = PackedArchive.read(packed);
    assertEquals(model.activations(), read.activations());
    for (int i = 0; i < model.layers().size(); i++) {
      for (int k = 0; k < 2; k++) {
        assertEquals(
            model.layers().get(i).parameters().get(k).codes(),
            read.layers().get(i).parameters().get(k).codes());
      }
    }
    assertEquals(model.plan(), read.plan());
    assertEquals(Scheme.AFFINE, read.plan().scheme().orElseThrow());
    assertEquals(model.output(data), read.output(data));
    assertSameWeights(model, read);
    Path plain = folder.resolve("affine.zip");
    PlainArchive.write(model, plain);
    INDArray fromPlain = Dl4jNetwork.of(restored(plain)).output(data).get(0);
    assertEquals(model.plainNetwork().output(data).get(0), fromPlain);
  }

  private static MultiLayerNetwork restored(Path file) {
    try {
      return MultiLayerNetwork.load(file.toFile(), false);
    } catch (java.io.IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  private static void assertSameWeights(QuantizedModel one, QuantizedModel other) {
    var graph = one.toQuantizedGraph();
    for (var node : graph.graph().nodes()) {
      assertEquals(
          graph.weights(node.name()).map(Object::toString),
          other.toQuantizedGraph().weights(node.name()).map(Object::toString));
    }
  }

  @Test
  void biasesOfDeadChannelsFit32Bits() {
    MultiLayerNetwork network = network(Activation.RELU);
    INDArray weights = network.getLayer(1).getParam("W");
    weights
        .get(
            org.nd4j.linalg.indexing.NDArrayIndex.point(2),
            org.nd4j.linalg.indexing.NDArrayIndex.all(),
            org.nd4j.linalg.indexing.NDArrayIndex.all(),
            org.nd4j.linalg.indexing.NDArrayIndex.all())
        .muli(1e-5);
    network.getLayer(1).getParam("b").putScalar(2, 3000);
    INDArray data = Nd4j.randn(32, 3, 8, 8);
    QuantizedModel model = Quantization.of(network).scheme(Scheme.AFFINE).calibrate(data).convert();
    var own = model.toQuantizedGraph().weights("second/preactivation").orElseThrow();
    long code = own.bias().get(2);
    assertTrue(Math.abs(code) <= 1 << 30 && Math.abs(code) > 1 << 29, code + " as bias");
    assertEquals(3000, code * own.accumulator().scale(2), 0.01);
    assertTrue(decibels(network, model, data) > 20);
  }

  @Test
  void adaptiveRoundingHelpsFewBits() {
    MultiLayerNetwork network = network(Activation.RELU);
    INDArray data = Nd4j.randn(128, 3, 8, 8).muli(0.5).addi(Nd4j.randn(128, 1, 1, 1));
    INDArray others = Nd4j.randn(128, 3, 8, 8).muli(0.5).addi(Nd4j.randn(128, 1, 1, 1));
    Quantization start =
        Quantization.of(network).scheme(Scheme.AFFINE).weightBits(4).calibrate(data);
    double nearest = decibels(network, start.adaptiveRounding(false).convert(), others);
    double adaptive = decibels(network, start.convert(), others);
    assertTrue(adaptive > nearest + 1, adaptive + " dB after " + nearest);
  }

  @Test
  void weightsAloneAreAffineIfThePlanSaysSo() {
    MultiLayerNetwork network = network(Activation.RELU);
    QuantizedModel model = Quantization.of(network).scheme(Scheme.AFFINE).weightBits(6).convert();
    QuantizedTensor codes = model.layers().get(0).parameters().get(1).codes().orElseThrow();
    assertTrue(codes.formats().get(0) instanceof AffineParameters);
    PrecisionPlan plan = model.plan();
    assertEquals(plan, PrecisionPlan.fromJson(plan.toJson(), "plan"));
    QuantizedModel again = Quantization.of(network).convert(plan);
    assertEquals(model.layers(), again.layers());
    QuantizedModel fixed = Quantization.of(network).weightBits(6).convert();
    double gained =
        model.layers().get(0).parameters().get(1).sqnrDb()
            - fixed.layers().get(0).parameters().get(1).sqnrDb();
    assertTrue(gained > 0.5, gained + " dB");
    assertArrayEquals(
        codes.dequantize().values(),
        Tensors.of(model.network().layers().get(0).parameters().get(1).value()).values());
    assertTrue(
        assertThrows(
                org.dl4jquant.precision.InvalidPlanException.class,
                () -> PrecisionPlan.fromJson(plan.toJson().replace("affine", "float"), "p.json"))
            .getMessage()
            .contains("scheme must be fixed-point or affine, found 'float'"));
  }

  @Test
  void valuesBeyondTheFormatsAreRefusedByName() {
    MultiLayerNetwork network = network(Activation.RELU);
    Quantization start = Quantization.of(network).scheme(Scheme.AFFINE);
    Quantization tiny = start.calibrate(Nd4j.rand(4, 3, 8, 8).muli(1e-18));
    String message = assertThrows(IllegalArgumentException.class, tiny::convert).getMessage();
    assertTrue(message.contains("must exceed 1.4210855E-14 in magnitude"), message);
    Quantization huge = start.calibrate(Nd4j.rand(4, 3, 8, 8).muli(1e18));
    message = assertThrows(IllegalArgumentException.class, huge::convert).getMessage();
    assertTrue(message.contains("must be below 7.0368744E13 in magnitude"), message);
  }

  @Test
  void cIsRefused() {
    MultiLayerNetwork network = network(Activation.RELU);
    QuantizedModel model =
        Quantization.of(network).scheme(Scheme.AFFINE).calibrate(Nd4j.rand(8, 3, 8, 8)).convert();
    IntegerNetwork integers = model.toIntegerNetwork();
    assertEquals(
        "scheme must be fixed-point to be written as C, found affine",
        assertThrows(
                IllegalArgumentException.class,
                () -> org.dl4jquant.export.c.CHeader.of(integers, "net"))
            .getMessage());
  }

  @Test
  void onnxTargetGivesTheSameFormats() {
    MultiLayerNetwork network = network(Activation.RELU);
    INDArray data = Nd4j.randn(32, 3, 8, 8);
    Quantization start = Quantization.of(network).scheme(Scheme.AFFINE).calibrate(data);
    Map<String, ActivationFormat> one = start.target(Target.INTEGER).convert().activations();
    assertEquals(one, start.target(Target.ONNX).convert().activations());
  }
}
