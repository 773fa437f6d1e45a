package org.dl4jquant.convert;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.common.primitives.ImmutableIntArray;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.Quantization;
import org.dl4jquant.dl4j.Dl4jNetwork;
import org.dl4jquant.dl4j.EqualizedNetwork;
import org.dl4jquant.dl4j.FoldedNetwork;
import org.dl4jquant.dl4j.GraphReader;
import org.dl4jquant.dl4j.Tensors;
import org.dl4jquant.graph.ActivationFormat;
import org.dl4jquant.graph.PowerOfTwoEqualization;
import org.dl4jquant.graph.PowerOfTwoEqualization.Group;
import org.dl4jquant.precision.LayerPrecision;
import org.dl4jquant.precision.PrecisionPlan;
import org.dl4jquant.precision.Target;
import org.dl4jquant.stats.Sqnr;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.lossfunctions.LossFunctions;

final class AlignmentTest {
  @Test
  void tradingChangesNothingThatADl4jNetworkComputes() {
    Random random = new Random(1);
    int traded = 0;
    int joined = 0;
    for (int seed = 0; seed < 60; seed++) {
      RandomNetworks networks = new RandomNetworks(seed);
      InputType type = networks.input();
      Model model = seed % 3 == 0 ? networks.layers(type) : networks.graph(type);
      Dl4jNetwork folded = FoldedNetwork.of(Dl4jNetwork.of(model)).network();
      Map<Group, ImmutableIntArray> exponents = new LinkedHashMap<>();
      Map<Group, ImmutableIntArray> zeros = new LinkedHashMap<>();
      for (Group group : PowerOfTwoEqualization.groups(GraphReader.read(folded).graph())) {
        if (EqualizedNetwork.canTrade(folded, group)) {
          exponents.put(
              group, ImmutableIntArray.copyOf(random.ints(group.channels(), -5, 6).toArray()));
          zeros.put(group, ImmutableIntArray.copyOf(new int[group.channels()]));
          joined += group.producers().size() + group.consumers().size() > 2 ? 1 : 0;
        }
      }
      traded += exponents.size();
      Dl4jNetwork equalized = EqualizedNetwork.of(folded, exponents);
      INDArray input = ConversionTest.input(type, 3, seed);
      Dl4jNetwork plain = EqualizedNetwork.of(folded, zeros); // the same parameters, as floats
      double[] expected = plain.output(input.dup()).get(0).dup('c').data().asDouble();
      double[] found = equalized.output(input.dup()).get(0).dup('c').data().asDouble();
      for (int i = 0; i < expected.length; i++) {
        assertEquals(expected[i], found[i], 1e-12 * Math.max(1, Math.abs(expected[i])), "" + seed);
      }
    }
    assertTrue(traded > 40, "only " + traded + " trades");
    assertTrue(joined > 5, "only " + joined + " trades of more than two operations");
  }

  @Test
  void everyAlignmentComputesTheCodesOfTheFakeQuantizedNetwork() {
    for (Alignment alignment : Alignment.values()) {
      for (int seed = 100; seed < 112; seed++) {
        RandomNetworks networks = new RandomNetworks(seed);
        InputType type = networks.input();
        Model model = seed % 2 == 0 ? networks.layers(type) : networks.graph(type);
        QuantizedModel quantized =
            Conversion.DEFAULT
                .withAlignment(alignment)
                .convert(
                    Dl4jNetwork.of(model),
                    PrecisionPlan.uniform(LayerPrecision.of(8, 8)),
                    ConversionTest.profiles(model, ConversionTest.input(type, 40, seed)));
        ConversionTest.assertSameCodes(
            alignment + " seed " + seed, quantized, ConversionTest.input(type, 3, seed + 1000));
        assertTrue(
            alignment.perChannel()
                || quantized.activations().values().stream().allMatch(ActivationFormat::perTensor),
            () -> alignment + ": " + quantized.activations());
      }
    }
  }

  /** Channels whose ranges lie up to 2^6 apart. */
  private static MultiLayerNetwork uneven() {
    MultiLayerNetwork network =
        new MultiLayerNetwork(
            new NeuralNetConfiguration.Builder()
                .seed(3)
                .dataType(DataType.DOUBLE)
                .list()
                .layer(conv().build())
                .layer(new BatchNormalization.Builder().activation(Activation.RELU).build())
                .layer(new SubsamplingLayer.Builder().kernelSize(2, 2).stride(2, 2).build())
                .layer(conv().activation(Activation.RELU).build())
                .layer(
                    new OutputLayer.Builder(LossFunctions.LossFunction.MSE)
                        .nOut(6)
                        .activation(Activation.IDENTITY)
                        .build())
                .setInputType(InputType.convolutional(10, 10, 2))
                .build());
    network.init();
    INDArray gamma = network.getLayer(1).getParam("gamma");
    INDArray next = network.getLayer(3).getParam("W");
    for (int c = 0; c < gamma.length(); c++) {
      double factor = Math.pow(2, c % 7);
      gamma.putScalar(c, gamma.getDouble(c) / factor);
      INDArray slices = next.tensorAlongDimension(c, 0, 2, 3); // all weights of input channel c
      slices.muli(factor / 1.5);
    }
    return network;
  }

  private static ConvolutionLayer.Builder conv() {
    return new ConvolutionLayer.Builder(3, 3).nOut(8).activation(Activation.IDENTITY);
  }

  private static double sqnr(Quantization start, INDArray seen, INDArray data, Model network) {
    QuantizedModel quantized = start.calibrate(seen).convert();
    return Sqnr.decibels(
        Tensors.of(Dl4jNetwork.of(network).output(data).get(0)).values(),
        Tensors.of(quantized.output(data).get(0)).values());
  }

  @Test
  void unevenChannelsGainByFormatsOfTheirOwnAndByTrades() {
    MultiLayerNetwork network = uneven();
    InputType type = InputType.convolutional(10, 10, 2);
    INDArray seen = ConversionTest.input(type, 100, 2);
    INDArray data = ConversionTest.input(type, 50, 4);
    Map<Alignment, Double> found = new EnumMap<>(Alignment.class);
    for (Alignment alignment : Alignment.values()) {
      Quantization start = Quantization.of(network).alignment(alignment);
      found.put(alignment, sqnr(start, seen, data, network));
    }
    double none = found.get(Alignment.NONE);
    assertTrue(found.get(Alignment.SHIFT_MAX) > none + 5, found::toString);
    assertTrue(found.get(Alignment.BALANCED) > none + 5, found::toString);
    assertEquals(
        found.get(Alignment.BALANCED),
        sqnr(Quantization.of(network).target(Target.ONNX), seen, data, network));
    assertEquals(
        found.get(Alignment.SHIFT_MAX), sqnr(Quantization.of(network), seen, data, network));
  }

  @Test
  void aTargetTakesOnlyWhatItComputes() {
    Conversion onnx = Conversion.DEFAULT.withTarget(Target.ONNX);
    for (Alignment alignment : Alignment.values()) {
      Conversion asked = onnx.withAlignment(alignment);
      if (!alignment.perChannel()) {
        assertEquals(alignment, asked.alignment(Target.ONNX));
        continue;
      }
      String message =
          assertThrows(IllegalArgumentException.class, () -> asked.alignment(Target.ONNX))
              .getMessage();
      assertEquals(
          "alignment must give a value one format for the target onnx, such as balanced, found "
              + alignment.word(),
          message);
    }
    assertEquals(Optional.empty(), Conversion.DEFAULT.alignment());
    assertEquals(Alignment.SHIFT_MAX, Conversion.DEFAULT.alignment(Target.INTEGER));
    assertEquals(Alignment.BALANCED, onnx.alignment(Target.ONNX));
    for (Alignment alignment : Alignment.values()) {
      assertEquals(alignment, Alignment.named(alignment.word()));
    }
    assertEquals(
        "alignment must be one of shift-max, output, align-min, balanced, none, found 'max'",
        assertThrows(IllegalArgumentException.class, () -> Alignment.named("max")).getMessage());
  }
}
