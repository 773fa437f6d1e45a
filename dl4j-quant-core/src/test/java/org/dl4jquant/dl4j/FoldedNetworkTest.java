package org.dl4jquant.dl4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.common.collect.ImmutableMap;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.CNN2DFormat;
import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.Deconvolution2D;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.DepthwiseConvolution2D;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.SeparableConvolution2D;
import org.deeplearning4j.nn.conf.layers.misc.FrozenLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

final class FoldedNetworkTest {
  private static final InputType IMAGE = InputType.convolutional(7, 6, 3);
  private static final InputType IMAGE_LAST = InputType.convolutional(7, 6, 3, CNN2DFormat.NHWC);

  private static BatchNormalization batchNorm() {
    return new BatchNormalization.Builder().build();
  }

  /** Gives a network parameters that no initialization would, statistics included. */
  static <M extends Model> M shaken(M network, long seed) {
    Random random = new Random(seed);
    Dl4jNetwork.of(network)
        .layers()
        .forEach(
            layer ->
                layer
                    .parameters()
                    .forEach(
                        parameter -> {
                          for (long i = 0; i < parameter.value().length(); i++) {
                            double value = random.nextGaussian() * 0.5;
                            boolean variance = parameter.key().equals("var");
                            parameter.value().putScalar(i, variance ? value * value : value);
                          }
                        }));
    return network;
  }

  private static MultiLayerNetwork layers(InputType input, Layer... layers) {
    NeuralNetConfiguration.ListBuilder list =
        new NeuralNetConfiguration.Builder().activation(Activation.IDENTITY).list();
    for (Layer layer : layers) {
      list.layer(layer);
    }
    MultiLayerNetwork network = new MultiLayerNetwork(list.setInputType(input).build());
    network.init();
    return shaken(network, 7);
  }

  private static ComputationGraph graph(InputType input, Layer... layers) {
    var builder =
        new NeuralNetConfiguration.Builder()
            .activation(Activation.IDENTITY)
            .graphBuilder()
            .addInputs("in");
    String before = "in";
    for (int i = 0; i < layers.length; i++) {
      builder.addLayer("v" + i, layers[i], before);
      before = "v" + i;
    }
    ComputationGraph network =
        new ComputationGraph(builder.setOutputs(before).setInputTypes(input).build());
    network.init();
    return shaken(network, 7);
  }

  private static INDArray input(InputType type) {
    return Nd4j.rand(sized(type)).subi(0.5).muli(4);
  }

  private static long[] sized(InputType type) {
    long[] shape = type.getShape(true);
    shape[0] = 3;
    return shape;
  }

  private static Map<String, Layer> producers(CNN2DFormat format) {
    return ImmutableMap.of(
        "convolution",
        new ConvolutionLayer.Builder(3, 2).nOut(4).dataFormat(format).build(),
        "without bias",
        new ConvolutionLayer.Builder(2, 2).nOut(4).hasBias(false).dataFormat(format).build(),
        "depthwise",
        new DepthwiseConvolution2D.Builder(3, 2).depthMultiplier(2).dataFormat(format).build(),
        "separable",
        new SeparableConvolution2D.Builder(3, 2)
            .depthMultiplier(2)
            .nOut(4)
            .convolutionMode(ConvolutionMode.Same)
            .dataFormat(format)
            .build(),
        "deconvolution",
        new Deconvolution2D.Builder(3, 2).stride(2, 1).nOut(4).dataFormat(format).build(),
        "frozen",
        new FrozenLayer(new ConvolutionLayer.Builder(3, 2).nOut(4).dataFormat(format).build()));
  }

  @Test
  void everyLinearProducerTakesTheNormalizationOverInBothKindsOfNetworks() {
    for (InputType type : List.of(IMAGE, IMAGE_LAST)) {
      CNN2DFormat format = ((InputType.InputTypeConvolutional) type).getFormat();
      producers(format)
          .forEach(
              (kind, producer) -> {
                Layer[] both = {producer, batchNorm(), new ActivationLayer(Activation.RELU)};
                assertFolds(kind + format, layers(type, both), input(type), 1);
                assertFolds(kind + format, graph(type, both), input(type), 1);
              });
    }
  }

  private static FoldedNetwork assertFolds(String what, Model model, INDArray input, int expected) {
    Dl4jNetwork original = Dl4jNetwork.of(model);
    INDArray before = original.parameters().dup();
    FoldedNetwork folded = FoldedNetwork.of(original);
    assertEquals(expected, folded.folded().size(), what);
    double difference = folded.maxDifference(original, input);
    assertTrue(difference <= 2e-5, what + ": " + difference);
    folded.requireSame(original, 2e-5, input);
    assertEquals(before, original.parameters(), what + " was changed");
    List<String> names =
        new ArrayList<>(folded.network().layers().stream().map(Dl4jLayer::name).toList());
    folded.split().forEach(name -> names.remove(name + FoldedNetwork.DEPTHWISE));
    assertEquals(original.layers().stream().map(Dl4jLayer::name).toList(), names, what);
    return folded;
  }

  @Test
  void denseLayersFoldToo() {
    Layer[] layers = {
      new DenseLayer.Builder().nOut(6).hasBias(false).build(),
      batchNorm(),
      new ActivationLayer(Activation.TANH),
      new DenseLayer.Builder().nOut(5).build(),
      new BatchNormalization.Builder().useLogStd(false).eps(0.1).build(),
      new OutputLayer.Builder().nOut(3).activation(Activation.SOFTMAX).build()
    };
    InputType type = InputType.feedForward(8);
    assertFolds("dense", layers(type, layers), input(type), 2);
    assertFolds("dense", graph(type, layers), input(type), 2);
  }

  @Test
  void lockedGammaAndBetaAreTakenAsDl4jTakesThem() {
    for (double gamma : new double[] {1, 2}) {
      for (double beta : new double[] {0, 3}) {
        BatchNormalization locked =
            new BatchNormalization.Builder().lockGammaBeta(true).gamma(gamma).beta(beta).build();
        Layer convolution = new ConvolutionLayer.Builder(3, 2).nOut(4).build();
        assertFolds("locked", layers(IMAGE, convolution, locked), input(IMAGE), 1);
        assertFolds("alone", layers(IMAGE, locked), input(IMAGE), 0);
      }
    }
  }

  @Test
  void whatStandsBehindAnActivationOrAlsoFeedsAnotherVertexStays() {
    Layer relu = new ConvolutionLayer.Builder(3, 2).nOut(4).activation(Activation.RELU).build();
    assertFolds("relu", layers(IMAGE, relu, batchNorm()), input(IMAGE), 0);
    assertFolds("first", graph(IMAGE, batchNorm(), relu), input(IMAGE), 0);
    ComputationGraph residual =
        new ComputationGraph(
            new NeuralNetConfiguration.Builder()
                .activation(Activation.IDENTITY)
                .graphBuilder()
                .addInputs("in")
                .addLayer("conv", new ConvolutionLayer.Builder(1, 1).nOut(3).build(), "in")
                .addLayer("norm", batchNorm(), "conv")
                .addVertex("sum", new ElementWiseVertex(ElementWiseVertex.Op.Add), "conv", "norm")
                .setOutputs("sum")
                .setInputTypes(IMAGE)
                .build());
    residual.init();
    assertFolds("residual", shaken(residual, 3), input(IMAGE), 0);
  }

  @Test
  void aNormalizationThatStaysBecomesAFactorAndAShift() {
    FoldedNetwork folded = assertFolds("alone", layers(IMAGE, batchNorm()), input(IMAGE), 0);
    Dl4jLayer layer = folded.network().layers().get(0);
    List<String> keys = layer.parameters().stream().map(Dl4jParameter::key).toList();
    assertEquals(List.of("gamma", "beta", "mean", "log10stdev"), keys);
    assertEquals(0, layer.parameters().get(2).value().amaxNumber().doubleValue());
    INDArray x = Nd4j.create(new float[] {3}).reshape(1, 1, 1, 1).broadcast(1, 3, 1, 1);
    float gamma = layer.parameters().get(0).value().getFloat(1);
    float beta = layer.parameters().get(1).value().getFloat(1);
    assertEquals(3 * gamma + beta, folded.network().output(x).get(0).getFloat(1), 1e-6f);
  }

  @Test
  void featuresThatAreNoNumbersHideNoDifference() {
    Dl4jNetwork original =
        Dl4jNetwork.of(
            layers(IMAGE, new ConvolutionLayer.Builder(3, 2).nOut(4).build(), batchNorm()));
    FoldedNetwork folded = FoldedNetwork.of(original);
    INDArray broken = input(IMAGE);
    broken.putScalar(new long[] {0, 0, 0, 0}, Double.NaN);
    folded.requireSame(original, 1e-4, broken);
    folded.network().parameters().muli(1.01);
    assertThrows(IllegalStateException.class, () -> folded.requireSame(original, 1e-4, broken));
  }

  @Test
  void aDifferenceIsRefused() {
    Dl4jNetwork original =
        Dl4jNetwork.of(
            layers(IMAGE, new ConvolutionLayer.Builder(3, 2).nOut(4).build(), batchNorm()));
    FoldedNetwork folded = FoldedNetwork.of(original);
    folded.network().parameters().muli(1.01);
    IllegalStateException e =
        assertThrows(
            IllegalStateException.class, () -> folded.requireSame(original, 1e-4, input(IMAGE)));
    assertTrue(
        e.getMessage()
            .startsWith("folding [layer1] must not change the network by more than 1.0E-4"),
        e.getMessage());
    folded.network().parameters().assign(Float.NaN);
    assertEquals(
        "folding [layer1] must not change the network by more than 1.0E-4, found NaN",
        assertThrows(
                IllegalStateException.class, () -> folded.requireSame(original, 1e-4, input(IMAGE)))
            .getMessage());
  }
}
