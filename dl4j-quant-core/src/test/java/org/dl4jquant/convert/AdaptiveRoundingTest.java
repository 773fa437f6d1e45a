package org.dl4jquant.convert;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Random;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.RNNFormat;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.Convolution1DLayer;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.Deconvolution2D;
import org.deeplearning4j.nn.conf.layers.DepthwiseConvolution2D;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.GravesLSTM;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.SeparableConvolution2D;
import org.deeplearning4j.nn.conf.layers.recurrent.Bidirectional;
import org.deeplearning4j.nn.conf.layers.recurrent.LastTimeStep;
import org.deeplearning4j.nn.conf.layers.recurrent.SimpleRnn;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.Quantization;
import org.dl4jquant.dl4j.Dl4jNetwork;
import org.dl4jquant.dl4j.ParameterRole;
import org.dl4jquant.dl4j.Tensors;
import org.dl4jquant.format.Codebook;
import org.dl4jquant.stats.Sqnr;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

final class AdaptiveRoundingTest {
  private static final InputType IMAGES = InputType.convolutional(8, 8, 3);
  private static final InputType SEQUENCES = InputType.recurrent(5, 12);

  private static MultiLayerNetwork network(InputType type, Layer... hidden) {
    NeuralNetConfiguration.ListBuilder builder =
        new NeuralNetConfiguration.Builder()
            .seed(7)
            .activation(Activation.RELU)
            .convolutionMode(ConvolutionMode.Same)
            .list();
    for (Layer layer : hidden) {
      builder.layer(layer);
    }
    MultiLayerNetwork network =
        new MultiLayerNetwork(
            builder
                .layer(
                    new OutputLayer.Builder(LossFunction.MSE)
                        .nOut(6)
                        .activation(Activation.IDENTITY)
                        .build())
                .setInputType(type)
                .build());
    network.init();
    return network;
  }

  /** Features that depend on one another, as those of images do. */
  private static INDArray smooth(InputType type, int batch, long seed) {
    Random random = new Random(seed);
    long[] shape = type.getShape(true);
    shape[0] = batch;
    INDArray input = Nd4j.create(DataType.FLOAT, shape);
    long each = input.length() / batch;
    for (int e = 0; e < batch; e++) {
      double value = random.nextGaussian();
      for (long i = 0; i < each; i++) {
        value = 0.9 * value + 0.4 * random.nextGaussian();
        input.putScalar(e * each + i, value);
      }
    }
    return input;
  }

  private static double decibels(Model network, QuantizedModel quantized, INDArray input) {
    return Sqnr.decibels(
        Tensors.of(Dl4jNetwork.of(network).output(input).get(0)).values(),
        Tensors.of(quantized.output(input).get(0)).values());
  }

  private static Quantization start(Model network, int bits, INDArray data) {
    return Quantization.of(network).weightBits(bits).activationBits(8).calibrate(data);
  }

  /** Rounded to those levels that serve the sums, in the formats of the nearest ones. */
  @Test
  void levelsOfCodebooksAreChosenAdaptively() {
    Model network =
        network(
            IMAGES,
            new DepthwiseConvolution2D.Builder(3, 3).depthMultiplier(2).build(),
            new SeparableConvolution2D.Builder(3, 3).nOut(8).build(),
            new ConvolutionLayer.Builder(3, 3).nOut(8).build());
    INDArray input = smooth(IMAGES, 100, 4);
    Quantization start =
        start(network, 3, smooth(IMAGES, 100, 3)).codebooks(WeightedEntropyCodebooks.DEFAULT);
    QuantizedModel nearest = start.conversion(start.conversion().withAdaptiveRounding(0)).convert();
    QuantizedModel adaptive = start.convert();
    assertEquals(
        "min-mse, weighted entropy, rounded adaptively", adaptive.provenance().weightStrategy());
    double before = decibels(network, nearest, input);
    double after = decibels(network, adaptive, input);
    assertTrue(after > before + 3, before + " dB, then " + after);
    for (int l = 0; l < adaptive.layers().size(); l++) {
      for (int p = 0; p < adaptive.layers().get(l).parameters().size(); p++) {
        QuantizedParameter own = adaptive.layers().get(l).parameters().get(p);
        if (own.role() == ParameterRole.WEIGHT) {
          assertEquals(levels(nearest.layers().get(l).parameters().get(p)), levels(own), own.key());
        }
      }
    }
    assertEquals(
        Tensors.of(adaptive.output(input).get(0)).values().length,
        adaptive.toIntegerNetwork().output(Tensors.of(input)).values().length);
    assertTrue(adaptive.accumulatorBits().size() > 3, "sums are not integers");
  }

  private static List<Object> levels(QuantizedParameter parameter) {
    return parameter.codes().orElseThrow().formats().stream()
        .<Object>map(format -> ((Codebook) format).levels())
        .toList();
  }

  @Test
  void outputsComeCloserForEveryKindOfLayer() {
    List<Model> networks =
        List.of(
            network(IMAGES, new ConvolutionLayer.Builder(3, 3).nOut(8).build()),
            network(
                IMAGES,
                new DepthwiseConvolution2D.Builder(3, 3).depthMultiplier(2).build(),
                new ConvolutionLayer.Builder(1, 1).nOut(8).build()),
            network(IMAGES, new SeparableConvolution2D.Builder(3, 3).nOut(8).build()),
            network(IMAGES, new Deconvolution2D.Builder(2, 2).stride(2, 2).nOut(4).build()),
            network(
                SEQUENCES,
                new Convolution1DLayer.Builder(3).nOut(8).build(),
                new GlobalPoolingLayer()));
    for (Model network : networks) {
      InputType type = networks.indexOf(network) == 4 ? SEQUENCES : IMAGES;
      INDArray data = smooth(type, 128, 1);
      INDArray others = smooth(type, 128, 2);
      Quantization uniform = start(network, 4, data);
      Quantization levels = uniform.codebooks(WeightedEntropyCodebooks.DEFAULT);
      double more =
          decibels(network, levels.convert(), others)
              - decibels(network, levels.adaptiveRounding(false).convert(), others);
      assertTrue(more > 1, "levels gained " + more + " dB");
      QuantizedModel adaptive = uniform.convert();
      QuantizedModel nearest = uniform.adaptiveRounding(false).convert();
      String what = adaptive.layers().stream().map(QuantizedLayer::kind).toList().toString();
      double before = decibels(network, nearest, others);
      double after = decibels(network, adaptive, others);
      assertTrue(after > before + 1, what + ": " + after + " dB after " + before);
      ConversionTest.assertSameCodes(what, adaptive, smooth(type, 5, 3));
    }
  }

  @Test
  void integersStayThoseOfTheFakeQuantizedNetwork() {
    for (int seed = 0; seed < 40; seed++) {
      RandomNetworks networks = new RandomNetworks(seed);
      InputType type = networks.input();
      Model model = seed % 2 == 0 ? networks.layers(type) : networks.graph(type);
      QuantizedModel quantized =
          Quantization.of(model)
              .weightBits(new int[] {3, 4, 6}[seed % 3])
              .activationBits(8)
              .calibrate(ConversionTest.input(type, 12, 2L * seed))
              .convert();
      ConversionTest.assertSameCodes(
          "seed " + seed, quantized, ConversionTest.input(type, 3, seed + 1000));
    }
  }

  /** Layers with units that depend on one another, as those of trained networks do. */
  private static MultiLayerNetwork recurrent(InputType type, Layer... hidden) {
    MultiLayerNetwork network = network(type, hidden);
    network.params().muli(1.5);
    return network;
  }

  @Test
  @SuppressWarnings("deprecation") // users still have networks of the old kinds
  void outputsOfRecurrentLayersComeCloser() {
    LSTM lstm = new LSTM.Builder().nOut(16).activation(Activation.TANH).build();
    InputType channelsLast = InputType.recurrent(5, 12, RNNFormat.NWC);
    List<Model> networks =
        List.of(
            recurrent(SEQUENCES, new LastTimeStep(lstm)),
            recurrent(
                SEQUENCES,
                new Bidirectional(Bidirectional.Mode.CONCAT, lstm),
                new LastTimeStep(new GravesLSTM.Builder().nOut(12).build())),
            recurrent(
                SEQUENCES,
                new SimpleRnn.Builder().nOut(16).activation(Activation.TANH).build(),
                new GlobalPoolingLayer()),
            recurrent(
                channelsLast,
                new LastTimeStep(
                    new LSTM.Builder()
                        .nOut(16)
                        .activation(Activation.TANH)
                        .dataFormat(RNNFormat.NWC)
                        .build())));
    for (Model network : networks) {
      InputType type = networks.indexOf(network) == 3 ? channelsLast : SEQUENCES;
      INDArray data = smooth(type, 128, 1);
      INDArray others = smooth(type, 128, 2);
      Quantization uniform = start(network, 4, data);
      Quantization levels = uniform.codebooks(WeightedEntropyCodebooks.DEFAULT);
      double more =
          decibels(network, levels.convert(), others)
              - decibels(network, levels.adaptiveRounding(false).convert(), others);
      assertTrue(more > 1, "levels gained " + more + " dB");
      QuantizedModel adaptive = uniform.convert();
      QuantizedModel nearest = uniform.adaptiveRounding(false).convert();
      assertNotEquals(
          codes(adaptive.layers().subList(0, 1)), codes(nearest.layers().subList(0, 1)));
      double gain = decibels(network, adaptive, others) - decibels(network, nearest, others);
      assertTrue(gain > 1, adaptive.layers().get(0).kind() + ": gained " + gain + " dB");
    }
  }

  @Test
  void byDefaultWeightsOfAtMostEightBits() {
    Model network = network(IMAGES, new ConvolutionLayer.Builder(3, 3).nOut(8).build());
    INDArray data = smooth(IMAGES, 64, 1);
    for (int bits : new int[] {4, 8, 9, 12}) {
      Quantization start = start(network, bits, data);
      List<QuantizedLayer> usual = start.convert().layers();
      List<QuantizedLayer> nearest = start.adaptiveRounding(false).convert().layers();
      List<QuantizedLayer> adaptive = start.adaptiveRounding(true).convert().layers();
      assertEquals(codes(bits <= 8 ? adaptive : nearest), codes(usual), bits + " bits");
      assertNotEquals(codes(adaptive), codes(nearest), bits + " bits");
    }
  }

  private static List<Object> codes(List<QuantizedLayer> layers) {
    return layers.stream()
        .flatMap(layer -> layer.parameters().stream())
        .map(parameter -> (Object) parameter.codes())
        .toList();
  }

  @Test
  void theSameExamplesGiveTheSameCodes() {
    Model network = network(IMAGES, new ConvolutionLayer.Builder(3, 3).nOut(8).build());
    INDArray data = smooth(IMAGES, 64, 1);
    assertEquals(
        codes(start(network, 4, data).convert().layers()),
        codes(start(network, 4, data.dup()).convert().layers()));
  }

  @Test
  void fewExamplesDoNotRuinTheOthers() {
    Model network = network(IMAGES, new ConvolutionLayer.Builder(3, 3).nOut(8).build());
    INDArray others = smooth(IMAGES, 128, 2);
    Quantization start = start(network, 4, smooth(IMAGES, 4, 1));
    double before = decibels(network, start.adaptiveRounding(false).convert(), others);
    double after = decibels(network, start.convert(), others);
    assertTrue(after > before - 0.5, after + " dB after " + before);
  }
}
