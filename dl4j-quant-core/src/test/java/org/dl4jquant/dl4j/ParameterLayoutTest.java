package org.dl4jquant.dl4j;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Map;
import java.util.TreeMap;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.graph.AttentionVertex;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.AutoEncoder;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.CenterLossOutputLayer;
import org.deeplearning4j.nn.conf.layers.Convolution1DLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.LearnedSelfAttentionLayer;
import org.deeplearning4j.nn.conf.layers.PReLULayer;
import org.deeplearning4j.nn.conf.layers.PrimaryCapsules;
import org.deeplearning4j.nn.conf.layers.RecurrentAttentionLayer;
import org.deeplearning4j.nn.conf.layers.misc.ElementWiseMultiplicationLayer;
import org.deeplearning4j.nn.conf.layers.recurrent.Bidirectional;
import org.deeplearning4j.nn.conf.layers.recurrent.LastTimeStep;
import org.deeplearning4j.nn.conf.layers.recurrent.SimpleRnn;
import org.deeplearning4j.nn.conf.ocnn.OCNNOutputLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.junit.jupiter.api.Test;

final class ParameterLayoutTest {
  private static final InputType VECTOR = InputType.feedForward(5);
  private static final InputType SEQUENCE = InputType.recurrent(5, 7);

  @Test
  void theGainOfALayerNormalizationIsAStatistic() {
    assertEquals(
        Map.of("W", "WEIGHT per channel of axis 1", "b", "BIAS", "g", "STATISTIC"),
        layouts(new DenseLayer.Builder().nOut(4).hasLayerNorm(true).build(), VECTOR));
    assertEquals(
        Map.of(
            "W", "WEIGHT per channel of axis 1",
            "RW", "WEIGHT per channel of axis 1",
            "b", "BIAS",
            "g", "STATISTIC"),
        layouts(new SimpleRnn.Builder().nOut(4).hasLayerNorm(true).build(), SEQUENCE));
  }

  @Test
  void batchNormalizationHasOnlyStatistics() {
    assertEquals(
        Map.of(
            "gamma", "STATISTIC",
            "beta", "STATISTIC",
            "mean", "STATISTIC",
            "log10stdev", "STATISTIC"),
        layouts(new BatchNormalization.Builder().build(), VECTOR));
    assertEquals(
        Map.of("mean", "STATISTIC", "var", "STATISTIC"),
        layouts(
            new BatchNormalization.Builder().useLogStd(false).lockGammaBeta(true).build(), VECTOR));
  }

  @Test
  void bothDirectionsOfARecurrentLayerAreAlike() {
    Map<String, String> expected =
        Map.of(
            "fW", "WEIGHT per channel of axis 1",
            "fRW", "WEIGHT per channel of axis 1",
            "fb", "BIAS",
            "bW", "WEIGHT per channel of axis 1",
            "bRW", "WEIGHT per channel of axis 1",
            "bb", "BIAS");
    assertEquals(expected, layouts(new Bidirectional(lstm()), SEQUENCE));
    assertEquals(expected, layouts(new LastTimeStep(new Bidirectional(lstm())), SEQUENCE));
  }

  @Test
  void aConvolutionInOneDimensionIsReadInTheShapeThatItComputesWith() {
    Dl4jParameter weight =
        Dl4jNetwork.of(network(new Convolution1DLayer.Builder(3).nOut(4).build(), SEQUENCE))
            .layers()
            .get(0)
            .parameters()
            .get(1);

    assertEquals("[4, 5, 3, 1]", java.util.Arrays.toString(weight.value().shape()));
    assertEquals("[3, 5, 4]", weight.layout().shape().toString());
    assertEquals("per channel of axis 2", weight.layout().granularity().toString());
    assertEquals(weight.value().getFloat(0, 0, 1, 0), weight.tensor().values()[1]);
  }

  @Test
  void layersOfOneKindAndManyParametersAreKnownByKey() {
    assertEquals(
        Map.of(
            "Q", "WEIGHT per channel of axis 2",
            "Wq", "WEIGHT per channel of axis 0, 1",
            "Wk", "WEIGHT per channel of axis 0, 1",
            "Wv", "WEIGHT per channel of axis 0, 1",
            "Wo", "WEIGHT per channel of axis 1"),
        layouts(
            new LearnedSelfAttentionLayer.Builder()
                .nOut(4)
                .nHeads(2)
                .headSize(3)
                .nQueries(3)
                .projectInput(true)
                .build(),
            SEQUENCE));
    assertEquals(
        Map.of(
            "W", "WEIGHT per channel of axis 1",
            "RW", "WEIGHT per channel of axis 1",
            "Wq", "WEIGHT per channel of axis 0, 1",
            "Wk", "WEIGHT per channel of axis 0, 1",
            "Wv", "WEIGHT per channel of axis 0, 1",
            "Wo", "WEIGHT per channel of axis 1",
            "b", "BIAS"),
        layouts(
            new RecurrentAttentionLayer.Builder()
                .nIn(5)
                .nOut(4)
                .nHeads(2)
                .headSize(3)
                .projectInput(true)
                .hasBias(true)
                .build(),
            SEQUENCE));
    assertEquals(
        Map.of("weight", "WEIGHT per channel of axis 3", "bias", "BIAS"),
        layouts(
            new PrimaryCapsules.Builder(4, 2).kernelSize(3, 3).stride(1, 1).build(),
            InputType.convolutional(6, 6, 3)));
    assertEquals(
        Map.of("W", "WEIGHT per tensor", "b", "BIAS"),
        layouts(new ElementWiseMultiplicationLayer.Builder().nOut(5).build(), VECTOR));
    assertEquals(
        Map.of("W", "WEIGHT per channel of axis 1", "b", "BIAS", "vb", "BIAS"),
        layouts(new AutoEncoder.Builder().nOut(4).build(), VECTOR));
  }

  @Test
  void whatIsNeitherWeightNorBiasStaysFloatWithItsReason() {
    assertEquals(
        Map.of(
            "W", "WEIGHT per channel of axis 1",
            "b", "BIAS",
            "cL", "OTHER because parameter cL is neither a weight nor a bias"),
        layouts(new CenterLossOutputLayer.Builder().nOut(4).build(), VECTOR));
    assertEquals(
        Map.of(
            "v", "WEIGHT per channel of axis 1",
            "w", "WEIGHT per tensor",
            "r", "OTHER because the radius of a one-class output is a threshold"),
        layouts(new OCNNOutputLayer.Builder().hiddenLayerSize(4).build(), VECTOR));
    assertEquals(
        Map.of("W", "OTHER because the slopes of a PReLU are not weights of a sum"),
        layouts(
            new PReLULayer.Builder().inputShape(3, 6, 6).sharedAxes(2, 3).build(),
            InputType.convolutional(6, 6, 3)));
  }

  @Test
  void anAttentionVertexHasWeightsThoughItIsNoLayer() {
    ComputationGraph graph =
        new ComputationGraph(
            new NeuralNetConfiguration.Builder()
                .graphBuilder()
                .addInputs("in")
                .addVertex(
                    "attention",
                    new AttentionVertex.Builder()
                        .nInQueries(5)
                        .nInKeys(5)
                        .nInValues(5)
                        .nHeads(2)
                        .headSize(3)
                        .nOut(4)
                        .projectInput(true)
                        .build(),
                    "in",
                    "in",
                    "in")
                .addLayer("recurrent", new LSTM.Builder().nIn(4).nOut(4).build(), "attention")
                .setOutputs("recurrent")
                .build());
    graph.init();
    Dl4jLayer attention = Dl4jNetwork.of(graph).layers().get(0);

    assertEquals("attention", attention.name());
    assertEquals("AttentionVertex", attention.kind());
    assertEquals(
        Map.of(
            "Wq", "WEIGHT per channel of axis 0, 1",
            "Wk", "WEIGHT per channel of axis 0, 1",
            "Wv", "WEIGHT per channel of axis 0, 1",
            "Wo", "WEIGHT per channel of axis 1"),
        layouts(attention));
  }

  private static Map<String, String> layouts(Layer layer, InputType type) {
    return layouts(Dl4jNetwork.of(network(layer, type)).layers().get(0));
  }

  private static Map<String, String> layouts(Dl4jLayer layer) {
    Map<String, String> layouts = new TreeMap<>();
    for (Dl4jParameter parameter : layer.parameters()) {
      ParameterLayout layout = parameter.layout();
      String granularity = parameter.isWeight() ? " " + layout.granularity() : "";
      String reason = layout.floatReason().map(text -> " because " + text).orElse("");
      layouts.put(parameter.key(), layout.role() + granularity + reason);
    }
    return layouts;
  }

  private static LSTM lstm() {
    return new LSTM.Builder().nOut(4).build();
  }

  private static MultiLayerNetwork network(Layer layer, InputType type) {
    MultiLayerNetwork network =
        new MultiLayerNetwork(
            new NeuralNetConfiguration.Builder()
                .list()
                .layer(layer)
                .setInputType(type)
                .validateOutputLayerConfig(false)
                .build());
    network.init();
    return network;
  }
}
