package org.dl4jquant.finetune;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.transferlearning.FineTuneConfiguration;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.dl4jquant.Quantization;
import org.dl4jquant.convert.QuantizedModel;
import org.dl4jquant.dl4j.Dl4jNetwork;
import org.dl4jquant.dl4j.FoldedNetwork;
import org.dl4jquant.format.FixedPointFormat;
import org.dl4jquant.graph.ActivationFormat;
import org.dl4jquant.listeners.ResidualGradientListener;
import org.dl4jquant.precision.LayerPrecision;
import org.dl4jquant.precision.PrecisionPlan;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.activations.impl.ActivationReLU;
import org.nd4j.linalg.activations.impl.ActivationTanH;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;

/** Steps of values that are learned. */
final class LearnedActivationTest {
  private static final DataSet TRAIN = FineTuningNetworks.images(240, 1);
  private static final DataSet TEST = FineTuningNetworks.images(200, 2);

  @Test
  void theGradientIsThatOfThePublication() {
    StepGrid grid = new StepGrid(0, 3, new int[0], new double[] {0.5});
    LearnedActivation relu = new LearnedActivation(new ActivationReLU(), null, grid);
    INDArray in = Nd4j.createFromArray(new float[][] {{-1, 0.6f, 0.2f}, {9, 0.8f, 1.1f}});
    INDArray out = Nd4j.createFromArray(new float[][] {{0, 0.5f, 0}, {1.5f, 1, 1}});
    assertEquals(out, relu.getActivation(in.dup(), true));
    assertTrue(relu.takeGradient().isEmpty());
    INDArray epsilon = Nd4j.createFromArray(new float[][] {{1, 2, 3}, {4, 5, 6}});
    INDArray passed = relu.backprop(in.dup(), epsilon).getFirst();
    assertEquals(Nd4j.createFromArray(new float[][] {{0, 2, 3}, {0, 5, 6}}), passed);
    double sum = 2 * (1 - 1.2) + 3 * (0 - 0.4) + 4 * 3 + 5 * (2 - 1.6) + 6 * (2 - 2.2);
    double[] expected = {sum / Math.sqrt(3 * 3)}; // three features, largest code 3
    assertArrayEquals(expected, relu.takeGradient().orElseThrow(), 1e-5);
    assertEquals(Nd4j.createFromArray(new float[][] {{1, 2, 3}, {4, 5, 6}}), epsilon);
    assertTrue(relu.takeGradient().isEmpty());

    LearnedActivation tanh = new LearnedActivation(new ActivationTanH(), null, grid);
    INDArray slope = tanh.backprop(in.dup(), Nd4j.ones(2, 3)).getFirst();
    assertEquals(0, slope.getDouble(0, 0));
    assertEquals(1 - Math.pow(Math.tanh(0.6), 2), slope.getDouble(0, 1), 1e-6);
    assertEquals(tanh, new LearnedActivation(new ActivationTanH(), null, grid));
    assertNotEquals(tanh, tanh.with(grid.withSteps(0.4)));
  }

  @Test
  void whatStandsBeforeALayerGathersTheSame() {
    StepGrid grid = new StepGrid(-4, 3, new int[] {1}, new double[] {0.5, 1});
    LearnedPreProcessor before = new LearnedPreProcessor(grid, null);
    LayerWorkspaceMgr none = LayerWorkspaceMgr.noWorkspaces();
    INDArray in = Nd4j.createFromArray(0.6, -1, 0.3, 5, -9, 0.1, 0.2, 0.7).reshape(2, 2, 2);
    INDArray untouched = in.dup();
    before.preProcess(in.mul(7), 2, none);
    INDArray out = before.preProcess(in, 2, none);
    assertEquals(Nd4j.createFromArray(0.5, -1, 0, 3, -2, 0, 0, 1.0).reshape(2, 2, 2), out);
    assertEquals(untouched, in);
    INDArray passed =
        before.backprop(Nd4j.ones(DataType.DOUBLE, 8).reshape(2, 2, 2).dup('f'), 2, none);
    assertEquals(
        Nd4j.createFromArray(1.0, 1, 1, 0, 0, 1, 1, 1).reshape(2, 2, 2).castTo(DataType.DOUBLE),
        passed);
    double scale = Math.sqrt(2 * 3); // of two channels, each of two steps in time
    double first = (1 - 1.2) + 0 + -4 + (0 - 0.2);
    double second = (0 - 0.3) + 3 + (0 - 0.2) + (1 - 0.7);
    double[] expected = {first / scale, second / scale};
    assertArrayEquals(expected, before.takeGradient().orElseThrow(), 1e-6);
    LearnedPreProcessor copy = (LearnedPreProcessor) before.clone();
    assertEquals(before, copy);
    before.use(grid.withSteps(1, 1));
    assertNotEquals(before, copy);
  }

  private static Model trained(boolean graph, DataType type) {
    Model network = graph ? FineTuningNetworks.graph(type) : FineTuningNetworks.layers(type);
    FineTuningNetworks.fit(network, FineTuningNetworks.batches(TRAIN, type), 4);
    return network;
  }

  private static MixedPrecisionFineTuning tuning(Model network, QuantizedModel model) {
    return MixedPrecisionFineTuning.of(network, model)
        .with(new FineTuneConfiguration.Builder().updater(new Adam(2e-3)).build());
  }

  /** Returns a model whose values have steps four times too small. */
  private static QuantizedModel narrow(Model network, DataSetIterator data) {
    QuantizedModel model =
        Quantization.of(network)
            .calibrate(data)
            .convert(PrecisionPlan.uniform(LayerPrecision.of(4, 4)));
    ImmutableMap<String, ActivationFormat> values =
        ImmutableMap.copyOf(
            model.activations().entrySet().stream()
                .collect(
                    Collectors.toMap(
                        Map.Entry::getKey,
                        own ->
                            new ActivationFormat(
                                own.getValue().granularity(),
                                own.getValue().formats().stream()
                                    .map(FixedPointFormat.class::cast)
                                    .map(f -> f.withFractionalLength(f.fractionalLength() + 2))
                                    .collect(ImmutableList.toImmutableList())))));
    return model.withValues(
        FoldedNetwork.of(Dl4jNetwork.of(network)).network(), ImmutableMap.of(), values);
  }

  private static double mean(List<Double> steps) {
    return steps.stream().mapToDouble(Double::doubleValue).average().orElseThrow();
  }

  @Test
  void stepsThatAreTooSmallGrowAndIntegersFollow() {
    for (boolean graph : new boolean[] {false, true}) {
      Model network = trained(graph, DataType.DOUBLE);
      DataSetIterator data = FineTuningNetworks.batches(TRAIN, DataType.DOUBLE);
      QuantizedModel narrow = narrow(network, data);
      FineTuningRun run = tuning(network, narrow).withLearnedActivationSteps(2e-2).start();
      ImmutableMap<String, ImmutableList<Double>> before = run.learnedSteps();
      assertTrue(before.containsKey(graph ? "average" : "alone"), before.toString());
      run.fit(data, 5);
      ImmutableMap<String, ImmutableList<Double>> after = run.learnedSteps();
      int grown = 0;
      for (String value : before.keySet()) {
        double ratio = mean(after.get(value)) / mean(before.get(value));
        grown += ratio > 1.1 ? 1 : 0;
      }
      assertTrue(grown >= before.size() / 2, before + " became " + after);
      Model learning = run.network();
      QuantizedModel promised = run.model();
      assertEquals(promised, run.snapSteps().model());
      assertFalse(learning == run.network());
      assertEquals(ImmutableMap.of(), run.learnedSteps());
      INDArray features = TEST.getFeatures().castTo(DataType.DOUBLE);
      int compared = FineTuningNetworks.sameCodes(run.network(), promised, features);
      assertTrue(compared > 3, "only " + compared + " values were compared");
      run.fit(data, 1);
      FineTuningNetworks.sameCodes(run.network(), run.model(), features);
      assertNotEquals(narrow.activations(), run.model().activations());
      assertNotEquals(narrow.biasGrids(), run.model().biasGrids());
      DataSetIterator test = FineTuningNetworks.batches(TEST, DataType.DOUBLE);
      double learned = LearnedStepsTest.loss(run.model(), test);
      double kept = LearnedStepsTest.loss(tuning(network, narrow).fit(data, 6).model(), test);
      assertTrue(learned < kept, learned + " learned, " + kept + " fixed");
    }
  }

  @Test
  void whatIsSavedComputesWithTheStepsAsLearned() {
    for (boolean graph : new boolean[] {false, true}) {
      Model network = trained(graph, DataType.FLOAT);
      DataSetIterator data = FineTuningNetworks.batches(TRAIN, DataType.FLOAT);
      FineTuningRun run = tuning(network, narrow(network, data)).withLearnedSteps(1e-2).start();
      Object start = configuration(run.network());
      run.fit(data, 1);
      Model clone = clone(run.network());
      Object learned = configuration(clone);
      assertNotEquals(start, learned);
      assertEquals(learned, configuration(run.network()));
      Dl4jNetwork read = read(run.network());
      INDArray features = TEST.getFeatures();
      assertEquals(
          Dl4jNetwork.of(run.network()).output(features).get(0), read.output(features).get(0));
      QuantizedModel before = run.model();
      run.fit(data, 3);
      assertEquals(learned, configuration(clone), "a clone learned with the network");
      assertEquals(before, run.model(clone));
      assertNotEquals(before.activations(), run.model().activations());
    }
  }

  private static Object configuration(Model network) {
    if (network instanceof ComputationGraph graph) {
      return ComputationGraphConfiguration.fromJson(graph.getConfiguration().toJson())
          .getVertices();
    }
    MultiLayerConfiguration read =
        MultiLayerConfiguration.fromJson(
            ((MultiLayerNetwork) network).getLayerWiseConfigurations().toJson());
    return List.of(
        read.getConfs().stream().map(NeuralNetConfiguration::getLayer).toList(),
        read.getInputPreProcessors());
  }

  private static Model clone(Model network) {
    return network instanceof ComputationGraph graph
        ? graph.clone()
        : ((MultiLayerNetwork) network).clone();
  }

  private static Dl4jNetwork read(Model network) {
    Dl4jNetwork own = Dl4jNetwork.of(network);
    return Dl4jNetwork.create(own.isGraph(), own.configuration(), own.parameters());
  }

  @Test
  void stepsOfValuesGoWithMasterWeights() {
    Model network = trained(true, DataType.FLOAT);
    DataSetIterator data = FineTuningNetworks.batches(TRAIN, DataType.FLOAT);
    MixedPrecisionFineTuning tuning =
        tuning(network, narrow(network, data))
            .withMasterWeights(ResidualGradientListener::builder)
            .withLearnedActivationSteps(2e-2);
    FineTuningRun run = tuning.fit(data, 4);
    assertTrue(run.masters().isPresent());
    assertEquals(1, ((ComputationGraph) run.network()).getListeners().size());
    DataSetIterator test = FineTuningNetworks.batches(TEST, DataType.FLOAT);
    double accuracy = FineTuningNetworks.accuracy(run.model().toNetwork(), test);
    assertTrue(accuracy > 0.8, "accuracy " + accuracy);
    assertThrows(IllegalStateException.class, () -> tuning.withLearnedWeightSteps(1e-2));
  }
}
