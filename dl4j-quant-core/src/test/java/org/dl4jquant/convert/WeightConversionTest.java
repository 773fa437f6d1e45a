package org.dl4jquant.convert;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.dl4j.Dl4jLayer;
import org.dl4jquant.dl4j.Dl4jNetwork;
import org.dl4jquant.dl4j.Dl4jParameter;
import org.dl4jquant.dl4j.ParameterRole;
import org.dl4jquant.format.FixedPointFormat;
import org.dl4jquant.precision.LayerPrecision;
import org.dl4jquant.precision.PrecisionPlan;
import org.dl4jquant.tensor.QuantizedTensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

final class WeightConversionTest {
  private static final PrecisionPlan EIGHT = PrecisionPlan.uniform(LayerPrecision.weights(8));
  private static final PrecisionPlan FOUR = PrecisionPlan.uniform(LayerPrecision.weights(4));

  static Stream<String> kinds() {
    return LayerKinds.all().keySet().stream();
  }

  private static List<Model> networks(String kind) {
    // Built anew for each network: DL4J's clone() of a wrapper shares the layer inside.
    return List.of(
        LayerKinds.layers(LayerKinds.all().get(kind), 5),
        LayerKinds.graph(LayerKinds.all().get(kind), 5));
  }

  @ParameterizedTest
  @MethodSource("kinds")
  void everyWeightOfEveryKindIsOnItsGridAndStatisticsAreUntouched(String kind) {
    for (Model model : networks(kind)) {
      for (PrecisionPlan plan : List.of(EIGHT, FOUR)) {
        Dl4jNetwork source = Dl4jNetwork.of(model);
        QuantizedModel quantized = WeightConversion.DEFAULT.convert(source, plan);
        Dl4jNetwork result = quantized.network();

        int bits = plan.fallback().weightBits();
        for (int i = 0; i < source.layers().size(); i++) {
          Dl4jLayer before = source.layers().get(i);
          Dl4jLayer after = result.layers().get(i);
          for (int p = 0; p < before.parameters().size(); p++) {
            QuantizedParameter parameter = quantized.layers().get(i).parameters().get(p);
            assertParameter(before.parameters().get(p), after.parameters().get(p), parameter, bits);
          }
        }
      }
    }
  }

  private static void assertParameter(
      Dl4jParameter before, Dl4jParameter after, QuantizedParameter parameter, int bits) {
    String name = before.name();
    if (before.layout().role() == ParameterRole.WEIGHT) {
      assertEquals(bits, parameter.bitWidth(), name);
      assertTrue(parameter.sqnrDb() > (bits == 8 ? 30 : 8), name + " " + parameter.sqnrDb());
    } else if (before.layout().role() != ParameterRole.BIAS) {
      assertEquals(before.value(), after.value(), name);
      assertNotEquals("", parameter.floatReason(), name);
    }
    if (parameter.codes().isPresent()) {
      QuantizedTensor codes = parameter.codes().get();
      float[] expected = codes.dequantize().values();
      float[] found = after.value().dup('c').data().asFloat();
      for (int i = 0; i < expected.length; i++) {
        assertEquals(expected[i], found[i], name + " element " + i);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("kinds")
  void scalingOneOutputChannelChangesOnlyItsOwnFormat(String kind) {
    Model model = networks(kind).get(0);
    Dl4jNetwork source = Dl4jNetwork.of(model);
    for (Dl4jParameter parameter : source.layers().get(0).parameters()) {
      int[] shape = parameter.tensor().shape();
      int channels = parameter.layout().granularity().channels(shape);
      if (!parameter.isWeight() || channels == 1) {
        continue;
      }
      List<Integer> before = lengths(source, parameter.key());
      int[] channelOf = parameter.layout().granularity().channelOfEach(shape);
      INDArray values = parameter.value().dup('c').reshape(channelOf.length);
      for (int i = 0; i < channelOf.length; i++) {
        if (channelOf[i] == 1) {
          values.putScalar(i, values.getFloat(i) * 1024);
        }
      }
      parameter.value().assign(values.reshape(parameter.value().shape()));

      List<Integer> expected = new ArrayList<>(before);
      expected.set(1, before.get(1) - 10);
      assertEquals(expected, lengths(source, parameter.key()), parameter.name());
    }
  }

  /** The test that the axes are output channels: one output of the layer moves, no other. */
  @Test
  void theChannelsOfAConvolutionAreItsOutputs() {
    for (String kind : List.of("ConvolutionLayer", "DepthwiseConvolution2D", "Deconvolution2D")) {
      MultiLayerNetwork network = LayerKinds.layers(LayerKinds.all().get(kind), 3);
      INDArray input = Nd4j.rand(DataType.FLOAT, 2, 3, 7, 6);
      INDArray before = network.output(input).dup();
      Dl4jParameter weight =
          Dl4jNetwork.of(network).layers().get(0).parameters().stream()
              .filter(Dl4jParameter::isWeight)
              .findFirst()
              .orElseThrow();
      int[] channelOf = weight.layout().granularity().channelOfEach(weight.tensor().shape());
      INDArray values = weight.value().dup('c').reshape(channelOf.length);
      for (int i = 0; i < channelOf.length; i++) {
        if (channelOf[i] == 1) {
          values.putScalar(i, 0);
        }
      }
      weight.value().assign(values.reshape(weight.value().shape()));
      INDArray after = network.output(input);

      for (int channel = 0; channel < before.size(1); channel++) {
        boolean same = plane(before, channel).equals(plane(after, channel));
        assertEquals(channel != 1, same, kind + " channel " + channel);
      }
    }
  }

  private static INDArray plane(INDArray images, int channel) {
    return images.tensorAlongDimension(channel, 0, 2, 3).dup();
  }

  @Test
  void aZeroChannelGetsTheMedianLengthOfTheOthers() {
    MultiLayerNetwork network = dense(DataType.FLOAT);
    network.getParam("0_W").getColumn(2).assign(0);
    network.getParam("0_W").getColumn(0).muli(16);
    Dl4jNetwork source = Dl4jNetwork.of(network);

    List<Integer> lengths = lengths(source, "W");

    List<Integer> others = new ArrayList<>(lengths);
    others.remove(2);
    others.sort(null);
    assertEquals(others.get(others.size() / 2), lengths.get(2));
  }

  @Test
  void brokenWeightsAreRefusedByName() {
    MultiLayerNetwork network = dense(DataType.FLOAT);
    network.getParam("0_W").putScalar(0, 1, Float.NaN);
    network.getParam("0_W").putScalar(1, 1, Float.POSITIVE_INFINITY);

    assertEquals(
        "parameter W of layer layer0 must hold only finite numbers, found 2 that are NaN or"
            + " infinite",
        assertThrows(
                IllegalArgumentException.class,
                () -> WeightConversion.DEFAULT.convert(Dl4jNetwork.of(network), EIGHT))
            .getMessage());
    WeightConversion.DEFAULT.convert(
        Dl4jNetwork.of(network), PrecisionPlan.uniform(LayerPrecision.FLOAT));
  }

  @Test
  void aPlanForAnotherNetworkIsRefused() {
    assertEquals(
        "plan must name layers or vertices of the network, found 'conv7', none of [layer0, input]",
        assertThrows(
                IllegalArgumentException.class,
                () ->
                    WeightConversion.DEFAULT.convert(
                        Dl4jNetwork.of(dense(DataType.FLOAT)),
                        EIGHT.with("conv7", LayerPrecision.weights(4))))
            .getMessage());
  }

  @Test
  void aNetworkOfDoublesKeepsItsTypeAndItsFloatParametersExactly() {
    MultiLayerNetwork network = dense(DataType.DOUBLE);
    network.getParam("0_b").addi(Math.PI);
    PrecisionPlan plan =
        PrecisionPlan.uniform(new LayerPrecision(8, LayerPrecision.FLOAT_BITS, 32));

    QuantizedModel quantized = WeightConversion.DEFAULT.convert(Dl4jNetwork.of(network), plan);
    MultiLayerNetwork result = (MultiLayerNetwork) quantized.toNetwork();

    assertEquals(DataType.DOUBLE, result.params().dataType());
    assertEquals(network.getParam("0_b"), result.getParam("0_b"));
    assertEquals(8, quantized.layers().get(0).weightBits());
  }

  @Test
  void theSourceIsNotTouched() {
    MultiLayerNetwork network = dense(DataType.FLOAT);
    INDArray before = network.params().dup();

    QuantizedModel quantized = WeightConversion.DEFAULT.convert(Dl4jNetwork.of(network), FOUR);
    ((MultiLayerNetwork) quantized.toNetwork()).params().assign(7);

    assertEquals(before, network.params());
    assertNotEquals(7f, ((MultiLayerNetwork) quantized.toNetwork()).params().getFloat(0));
  }

  private static MultiLayerNetwork dense(DataType type) {
    MultiLayerNetwork network =
        new MultiLayerNetwork(
            new NeuralNetConfiguration.Builder()
                .seed(1)
                .dataType(type)
                .list()
                .layer(new DenseLayer.Builder().nIn(20).nOut(6).build())
                .build());
    network.init();
    return network;
  }

  private static List<Integer> lengths(Dl4jNetwork network, String key) {
    return WeightConversion.DEFAULT.convert(network, EIGHT).layers().get(0).parameters().stream()
        .filter(parameter -> parameter.key().equals(key))
        .flatMap(parameter -> parameter.codes().orElseThrow().formats().stream())
        .map(format -> ((FixedPointFormat) format).fractionalLength())
        .toList();
  }
}
