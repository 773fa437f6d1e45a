package org.dl4jquant.finetune;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableMap;
import java.util.List;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.transferlearning.FineTuneConfiguration;
import org.dl4jquant.Quantization;
import org.dl4jquant.convert.QuantizedLayer;
import org.dl4jquant.convert.QuantizedModel;
import org.dl4jquant.convert.QuantizedParameter;
import org.dl4jquant.convert.WeightedEntropyCodebooks;
import org.dl4jquant.dl4j.Dl4jNetwork;
import org.dl4jquant.dl4j.FoldedNetwork;
import org.dl4jquant.dl4j.ParameterRole;
import org.dl4jquant.format.FixedPointFormat;
import org.dl4jquant.format.NumberFormat;
import org.dl4jquant.listeners.ResidualGradientListener;
import org.dl4jquant.precision.LayerPrecision;
import org.dl4jquant.precision.PrecisionPlan;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;

final class LearnedStepsTest {
  private static final DataSet TRAIN = FineTuningNetworks.images(240, 1);
  private static final DataSet TEST = FineTuningNetworks.images(200, 2);

  @Test
  void theGradientIsThatOfThePublication() {
    StepGrid grid = new StepGrid(-2, 1, new int[0], new double[] {0.5});
    for (DataType type : List.of(DataType.FLOAT, DataType.DOUBLE)) {
      INDArray gradients = Nd4j.createFromArray(1.0, 2, 3, 4, 5).castTo(type);
      INDArray weights = Nd4j.createFromArray(0.6, -0.1, 2, -3, 0.45).castTo(type);
      double[] found = grid.gradient(weights, gradients, 1);
      // codes 1.2 and 4 lie above, -6 below; -0.2 rounds to 0, 0.9 to 1
      double sum = 1 * 1 + 2 * 0.2 + 3 * 1 + 4 * -2 + 5 * 0.1;
      assertArrayEquals(new double[] {sum / Math.sqrt(5 * 1)}, found, 1e-6);
      assertEquals(Nd4j.createFromArray(0.0, 2, 0, 0, 5).castTo(type), gradients);
    }
  }

  @Test
  void everyChannelHasAStepOfItsOwn() {
    StepGrid grid = new StepGrid(-4, 3, new int[] {1}, new double[] {1, 0.25});
    for (char order : new char[] {'c', 'f'}) {
      INDArray weights =
          Nd4j.createFromArray(new float[][] {{0.75f, 0.75f}, {-1.25f, 0.15f}}).dup(order);
      INDArray gradients = Nd4j.createFromArray(new float[][] {{1, 1}, {-1, 2}});
      double[] found = grid.gradient(weights, gradients, 1);
      double scale = Math.sqrt(2 * 3);
      assertArrayEquals(new double[] {(0.25 - 0.25) / scale, (3 + 2 * 0.4) / scale}, found, 1e-6);
      assertEquals(Nd4j.createFromArray(new float[][] {{1, 0}, {-1, 2}}), gradients);
      grid.quantize(weights, weights);
      assertEquals(Nd4j.createFromArray(new float[][] {{1, 0.75f}, {-1, 0.25f}}), weights);
    }
  }

  @Test
  void stepsSnapToTheNearestPowerByRatio() {
    assertEquals(2, StepGrid.length(0.3));
    assertEquals(1, StepGrid.length(0.36));
    assertEquals(-1, StepGrid.length(2));
    assertEquals(FixedPointFormat.MAX_FRACTIONAL_LENGTH, StepGrid.length(1e-60));
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

  /** Returns a model whose weights have steps eight times too small. */
  private static QuantizedModel narrow(Model network, DataSetIterator data) {
    QuantizedModel model =
        Quantization.of(network)
            .calibrate(data)
            .convert(PrecisionPlan.uniform(LayerPrecision.of(4, 8)));
    ImmutableMap.Builder<String, ImmutableList<NumberFormat>> formats = ImmutableMap.builder();
    for (QuantizedLayer layer : model.layers()) {
      for (QuantizedParameter parameter : layer.parameters()) {
        if (parameter.role() == ParameterRole.WEIGHT && parameter.codes().isPresent()) {
          formats.put(
              layer.name() + "/" + parameter.key(),
              parameter.codes().get().formats().stream()
                  .map(FixedPointFormat.class::cast)
                  .<NumberFormat>map(own -> own.withFractionalLength(own.fractionalLength() + 3))
                  .collect(ImmutableList.toImmutableList()));
        }
      }
    }
    return model.withValues(
        FoldedNetwork.of(Dl4jNetwork.of(network)).network(), formats.buildOrThrow());
  }

  @Test
  void stepsThatAreTooSmallGrow() {
    for (boolean graph : new boolean[] {false, true}) {
      Model network = trained(graph, DataType.FLOAT);
      DataSetIterator data = FineTuningNetworks.batches(TRAIN, DataType.FLOAT);
      DataSetIterator test = FineTuningNetworks.batches(TEST, DataType.FLOAT);
      QuantizedModel narrow = narrow(network, data);
      FineTuningRun run = tuning(network, narrow).withLearnedWeightSteps(1e-2).start();
      ImmutableMap<String, ImmutableList<Double>> before = run.learnedSteps();
      run.fit(data, 5);
      ImmutableMap<String, ImmutableList<Double>> after = run.learnedSteps();
      int larger = 0;
      int all = 0;
      for (String name : before.keySet()) {
        for (int c = 0; c < before.get(name).size(); c++) {
          larger += after.get(name).get(c) > 1.2 * before.get(name).get(c) ? 1 : 0;
          all++;
        }
      }
      assertTrue(larger > all / 2, larger + " of " + all + " steps grew");
      run.snapSteps().fit(data, 1);
      assertEquals(ImmutableMap.of(), run.learnedSteps());
      double learned = FineTuningNetworks.accuracy(run.model().toNetwork(), test);
      QuantizedModel fixed = tuning(network, narrow).fit(data, 6).model();
      double kept = FineTuningNetworks.accuracy(fixed.toNetwork(), test);
      double loss = loss(run.model(), test);
      String what = learned + ", loss " + loss + "; fixed " + kept + ", loss " + loss(fixed, test);
      assertTrue(learned > 0.75 && loss < loss(fixed, test), what);
    }
  }

  static double loss(QuantizedModel model, DataSetIterator data) {
    Model network = model.toNetwork();
    data.reset();
    double sum = 0;
    int batches = 0;
    while (data.hasNext()) {
      DataSet batch = data.next();
      sum +=
          network instanceof ComputationGraph graph
              ? graph.score(batch)
              : ((MultiLayerNetwork) network).score(batch);
      batches++;
    }
    return sum / batches;
  }

  @Test
  void integersAreTheCodesOfTheLastEpoch() {
    for (boolean graph : new boolean[] {false, true}) {
      Model network = trained(graph, DataType.DOUBLE);
      DataSetIterator data = FineTuningNetworks.batches(TRAIN, DataType.DOUBLE);
      FineTuningRun run =
          MixedPrecisionFineTuning.of(network, PrecisionPlan.uniform(LayerPrecision.of(3, 5)), data)
              .withLearnedSteps(2e-2)
              .withCodebooks(WeightedEntropyCodebooks.DEFAULT, layer -> layer.equals("second"))
              .fit(data, 3);
      int compared =
          FineTuningNetworks.sameCodes(
              run.network(), run.model(), TEST.getFeatures().castTo(DataType.DOUBLE));
      assertTrue(compared > 3, "only " + compared + " values were compared");
    }
  }

  @Test
  void stepsAreSavedAsTheyHaveBeenLearned() {
    Model network = trained(false, DataType.FLOAT);
    DataSetIterator data = FineTuningNetworks.batches(TRAIN, DataType.FLOAT);
    FineTuningRun run = tuning(network, narrow(network, data)).withLearnedSteps(1e-2).start();
    MultiLayerConfiguration start =
        ((MultiLayerNetwork) run.network()).getLayerWiseConfigurations().clone();
    run.fit(data, 1);
    MultiLayerConfiguration learned =
        ((MultiLayerNetwork) run.network()).getLayerWiseConfigurations();
    MultiLayerConfiguration read = MultiLayerConfiguration.fromJson(learned.toJson());
    assertEquals(
        List.copyOf(learned.getConfs()).get(0).getLayer(), read.getConfs().get(0).getLayer());
    assertEquals(
        learned.getConfs().get(0).getLayer().hashCode(),
        read.getConfs().get(0).getLayer().hashCode());
    assertNotEquals(start.getConfs().get(0).getLayer(), read.getConfs().get(0).getLayer());
  }

  @Test
  void whatDoesNotGoTogetherIsRefused() {
    MixedPrecisionFineTuning tuning =
        MixedPrecisionFineTuning.of(
            FineTuningNetworks.layers(DataType.FLOAT),
            any -> Quantization.of(any).weightBits(4).convert());
    assertThrows(
        IllegalStateException.class,
        () -> tuning.choosingFormatsEachEpoch().withLearnedSteps(1e-3));
    assertThrows(
        IllegalStateException.class,
        () -> tuning.withLearnedSteps(1e-3).withMasterWeights(ResidualGradientListener::builder));
    assertThrows(IllegalArgumentException.class, () -> tuning.withLearnedSteps(0));
  }
}
