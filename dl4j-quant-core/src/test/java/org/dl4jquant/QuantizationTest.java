package org.dl4jquant;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.convert.QuantizedModel;
import org.dl4jquant.precision.LayerPrecision;
import org.dl4jquant.precision.LayerSelector;
import org.dl4jquant.precision.LayerStatistic;
import org.dl4jquant.precision.OutputClassPolicy;
import org.dl4jquant.precision.PrecisionPlan;
import org.dl4jquant.precision.SearchResult;
import org.dl4jquant.report.QuantizationReport;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The way in and the report, on one network with layers of every fate. */
final class QuantizationTest {
  private static final List<LayerStatistic> STATISTICS =
      List.of(
          LayerStatistic.of("conv", 1), LayerStatistic.of("conv2", 2), LayerStatistic.of("out", 3));

  @Test
  void pinsDecideLayerByLayer() {
    QuantizedModel model =
        Quantization.of(network())
            .weightBits(6)
            .pin(LayerSelector.named("conv"), 3)
            .keepFloat(LayerSelector.ofKind("OutputLayer"))
            .convert();

    assertEquals(List.of(3, 32, 32, 6, 32), bits(model));
    assertEquals("the plan keeps this layer float", model.layers().get(4).floatReason().get());
  }

  @Test
  void aSearchLeavesPinnedLayersAlone() {
    Quantization quantization = Quantization.of(network()).pin(LayerSelector.named("conv2"), 16);

    SearchResult all =
        quantization.search(STATISTICS).lowBits(2).build().run(quantization.evaluating(m -> 1));

    assertEquals(List.of("conv", "out"), all.lowPrecisionLayers());
    assertEquals(List.of(2, 32, 32, 16, 2), bits(quantization.convert(all.best().plan())));
  }

  @Test
  void aHeadGetsTheBitsThatItsClassesAskFor() {
    Quantization quantization = Quantization.of(network(10)).weightBits(4);

    assertEquals(List.of(4, 32, 32, 4, 8), bits(quantization.convert()));
    assertEquals(List.of(5, 32, 32, 5, 5), bits(quantization.weightBits(5).convert()));
    assertEquals(
        List.of(4, 32, 32, 4, 16),
        bits(quantization.outputClasses(OutputClassPolicy.LOG2_BOUND.withMargin(4)).convert()));
  }

  @Test
  void noPinAndNoPlanTakesAHeadBelowItsBound() {
    Quantization pinned =
        Quantization.of(network(10)).weightBits(4).pin(LayerSelector.named("out"), 3);
    PrecisionPlan three = PrecisionPlan.uniform(LayerPrecision.weights(3));
    String reason = "weights 8 bits instead of 3: its 10 classes ask for 5";

    assertEquals(List.of(4, 32, 32, 4, 8), bits(pinned.convert()));
    assertEquals(Map.of("out", reason), pinned.raisedHeads());
    assertEquals(List.of(3, 32, 32, 3, 8), bits(pinned.convert(three)));
    assertEquals(Map.of("out", reason), pinned.raisedHeads(three));
    Quantization enough = pinned.pin(LayerSelector.named("out"), 5);
    assertEquals(List.of(4, 32, 32, 4, 5), bits(enough.convert()));
    assertEquals(Map.of(), enough.raisedHeads());
    Quantization unbounded = pinned.outputClasses(OutputClassPolicy.NONE);
    assertEquals(List.of(4, 32, 32, 4, 3), bits(unbounded.convert()));
    assertEquals(Map.of(), unbounded.raisedHeads());

    QuantizationReport report =
        QuantizationReport.of(pinned.convert()).withRaised(pinned.raisedHeads());
    assertTrue(report.table().endsWith("\nout: " + reason + "\n"), report.table());
    assertEquals(reason, report.toJson().get(4).get("raised").textValue());
    assertTrue(report.toJson().get(0).get("raised").isNull());
  }

  @Test
  void aGreedySearchLowersWhatMayBeUntilTheMeanIsSmall() {
    Quantization quantization = Quantization.of(network()).pin(LayerSelector.named("conv2"), 16);
    SearchResult measured =
        quantization.greedySearch().lowBits(2).build().run(quantization.evaluating(m -> 1));
    assertEquals(Set.of("conv", "out"), Set.copyOf(measured.lowPrecisionLayers()));
    assertEquals(Map.of("conv2", "its width is pinned"), measured.leftOut());
    double mean = quantization.greedySearch().build().run(plan -> 1).best().averageWeightBits();
    SearchResult scored =
        quantization
            .greedySearch(LayerStatistic.ofScores(Map.of("out", -1.0, "conv", 2.0)))
            .averageBits(mean)
            .build()
            .run(quantization.evaluating(m -> 1));
    assertEquals(List.of("out", "conv"), scored.lowPrecisionLayers());
    assertEquals(SearchResult.StopReason.FINISHED, scored.reason());
  }

  @Test
  void aSearchLeavesAHeadAtItsBound() {
    Quantization quantization = Quantization.of(network(10));

    SearchResult four =
        quantization.search(STATISTICS).lowBits(4).build().run(quantization.evaluating(m -> 1));
    SearchResult five =
        quantization.search(STATISTICS).lowBits(5).build().run(quantization.evaluating(m -> 1));

    assertEquals(List.of("conv", "conv2"), four.lowPrecisionLayers());
    assertEquals(List.of("conv", "conv2", "out"), five.lowPrecisionLayers());
    assertEquals(Map.of("out", "its outputs ask for at least 5 bits"), four.leftOut());
    assertEquals(Map.of(), five.leftOut());
  }

  @Test
  void theStatisticInUnitsOfNoiseReordersTheSearch() {
    MultiLayerNetwork network = network();
    network.getLayer(0).getParam("W").assign(0.875); // code 7 of step 1/8 at 4 bits
    network.getLayer(3).getParam("W").assign(3.5); // code 7 of step 1/2
    network.getLayer(4).getParam("W").assign(0.4375); // code 7 of step 1/16
    Quantization quantization = Quantization.of(network).pin(LayerSelector.named("out"), 8);

    List<LayerStatistic> normalized = quantization.normalized(STATISTICS, 4);

    assertEquals(
        List.of(
            LayerStatistic.of("conv", 1 * 12 * 64.0),
            LayerStatistic.of("conv2", 2 * 12 * 4.0),
            LayerStatistic.of("out", 3 * 12 * 256.0)),
        normalized);
    assertEquals(List.of("conv", "conv2"), ranking(quantization, STATISTICS));
    assertEquals(List.of("conv2", "conv"), ranking(quantization, normalized));
  }

  @Test
  void channelsOfDifferentStepsCountByTheirMeanSquare() {
    MultiLayerNetwork network = network();
    INDArray weights = network.getLayer(0).getParam("W"); // [4, 1, 3, 3]
    double[] values = {0.875, 3.5, 3.5, 3.5};
    for (int channel = 0; channel < values.length; channel++) {
      weights.slice(channel).assign(values[channel]);
    }
    double meanSquare = (1 / 64.0 + 3 / 4.0) / 4;

    LayerStatistic statistic =
        Quantization.of(network).normalized(STATISTICS.subList(0, 1), 4).get(0);

    assertEquals(12 / meanSquare, statistic.value(), 1e-12 * 12 / meanSquare);
  }

  @Test
  void whatCannotBeNormalizedIsNamedOrNotTried() {
    Quantization quantization = Quantization.of(network());
    var unknown =
        assertThrows(
            IllegalArgumentException.class,
            () -> quantization.normalized(List.of(LayerStatistic.of("conv3", 1)), 4));
    assertEquals(
        "statistics must name only the layers [conv, norm, pool, conv2, out], found conv3",
        unknown.getMessage());
    List<LayerStatistic> withoutWeights =
        quantization.normalized(List.of(LayerStatistic.of("pool", 1)), 4);
    assertEquals(Double.POSITIVE_INFINITY, withoutWeights.get(0).value());
  }

  private static List<String> ranking(Quantization quantization, List<LayerStatistic> statistics) {
    return quantization.search(statistics).build().run(plan -> 1).ranking();
  }

  @Test
  void theEvaluatorSeesAQuantizedNetworkOfItsOwn() {
    MultiLayerNetwork network = network();
    Quantization quantization = Quantization.of(network);

    double sum =
        quantization
            .evaluating(
                candidate -> {
                  assertFalse(candidate == network);
                  return candidate.params().sumNumber().doubleValue();
                })
            .applyAsDouble(quantization.plan());

    assertEquals(quantization.convert().toNetwork().params().sumNumber().doubleValue(), sum, 0.0);
  }

  @Test
  void whatIsNoInitializedNetworkIsRefused() {
    MultiLayerNetwork raw = new MultiLayerNetwork(network().getLayerWiseConfigurations());

    assertEquals(
        "model must be initialized, found a network without init()",
        assertThrows(IllegalArgumentException.class, () -> Quantization.of(raw)).getMessage());
    ComputationGraph graph =
        new ComputationGraph(network().toComputationGraph().getConfiguration());
    assertEquals(
        "model must be initialized, found a graph without init()",
        assertThrows(IllegalArgumentException.class, () -> Quantization.of(graph)).getMessage());
  }

  @Test
  void theReportTellsEachLayersFate() throws IOException {
    QuantizedModel model =
        Quantization.of(network()).keepFloat(LayerSelector.named("out")).convert();
    QuantizationReport report = QuantizationReport.of(model, Map.of("conv", 0.25));

    JsonNode json = new ObjectMapper().readTree(report.toJson().toString());
    assertEquals(8, json.at("/0/bits").intValue());
    assertEquals(0.25, json.at("/0/statistic").doubleValue());
    assertTrue(json.at("/0/sqnrDb").doubleValue() > 30);
    assertTrue(json.at("/3/statistic").isNull());
    assertEquals(32, json.at("/4/bits").intValue());
    assertTrue(json.at("/4/sqnrDb").isNull());
    assertEquals("the plan keeps this layer float", json.at("/4/floatReason").textValue());
    assertEquals(
        "normalization statistics stay as they are", json.at("/1/floatReason").textValue());
    assertEquals(4 * network().numParams(), report.bytesBefore());
    assertTrue(report.bytesAfter() < report.bytesBefore());
    for (String word : List.of("conv2", "BatchNormalization", "2.500e-01", "total", "SQNR dB")) {
      assertTrue(report.table().contains(word), report.table());
    }
  }

  @Test
  void aLayerThatLosesNothingIsExactInTheTableAndNullInJson() throws IOException {
    MultiLayerNetwork network = network();
    network.params().assign(0.5);
    QuantizationReport report = QuantizationReport.of(Quantization.of(network).convert());

    assertTrue(report.table().contains("exact"), report.table());
    assertTrue(new ObjectMapper().readTree(report.toJson().toString()).at("/0/sqnrDb").isNull());
  }

  private static List<Integer> bits(QuantizedModel model) {
    return model.layers().stream().map(layer -> layer.weightBits()).toList();
  }

  private static MultiLayerNetwork network() {
    return network(3);
  }

  private static MultiLayerNetwork network(int classes) {
    MultiLayerNetwork network =
        new MultiLayerNetwork(
            new NeuralNetConfiguration.Builder()
                .seed(1)
                .list()
                .layer(new ConvolutionLayer.Builder(3, 3).nOut(4).name("conv").build())
                .layer(new BatchNormalization.Builder().name("norm").build())
                .layer(new SubsamplingLayer.Builder().kernelSize(2, 2).name("pool").build())
                .layer(new ConvolutionLayer.Builder(2, 2).nOut(4).name("conv2").build())
                .layer(
                    new OutputLayer.Builder()
                        .nOut(classes)
                        .activation(Activation.SOFTMAX)
                        .name("out")
                        .build())
                .setInputType(InputType.convolutional(8, 8, 1))
                .build());
    network.init();
    return network;
  }
}
