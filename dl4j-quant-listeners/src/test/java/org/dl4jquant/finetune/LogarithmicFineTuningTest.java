package org.dl4jquant.finetune;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.common.collect.ImmutableMap;
import com.google.common.collect.ImmutableSet;
import com.google.common.collect.Maps;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.transferlearning.FineTuneConfiguration;
import org.deeplearning4j.util.ModelSerializer;
import org.dl4jquant.Quantization;
import org.dl4jquant.convert.LogarithmicActivations;
import org.dl4jquant.convert.QuantizedModel;
import org.dl4jquant.convert.WeightedEntropyCodebooks;
import org.dl4jquant.graph.ActivationFormat;
import org.dl4jquant.listeners.ResidualGradientListener;
import org.dl4jquant.precision.LayerPrecision;
import org.dl4jquant.precision.PrecisionPlan;
import org.dl4jquant.precision.Target;
import org.dl4jquant.stats.LogBins;
import org.dl4jquant.stats.LogHistogram;
import org.dl4jquant.strategy.WeightedEntropyActivations;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.Sgd;

final class LogarithmicFineTuningTest {
  private static final DataSet TRAIN = FineTuningNetworks.images(240, 1);
  private static final DataSet TEST = FineTuningNetworks.images(150, 2);

  private static Model network(boolean graph, DataType type) {
    Model network = graph ? FineTuningNetworks.graph(type) : FineTuningNetworks.layers(type);
    FineTuningNetworks.fit(network, FineTuningNetworks.batches(TRAIN, type), 4);
    return network;
  }

  private static MixedPrecisionFineTuning tuning(Model network, DataSetIterator data) {
    PrecisionPlan plan = PrecisionPlan.uniform(LayerPrecision.of(3, 4)).with(Target.ONNX);
    return MixedPrecisionFineTuning.of(
        network,
        any ->
            Quantization.of(any)
                .logarithmicActivations(LogarithmicActivations.DEFAULT)
                .calibrate(data)
                .convert(plan));
  }

  private static Map<String, ActivationFormat> logarithmic(QuantizedModel model) {
    return ImmutableMap.copyOf(
        Maps.filterValues(model.activations(), format -> format.levels().isPresent()));
  }

  @Test
  void integersAreTheCodesWithWhichTheNetworkWasTrained() {
    for (boolean graph : new boolean[] {false, true}) {
      Model network = network(graph, DataType.DOUBLE);
      DataSetIterator data = FineTuningNetworks.batches(TRAIN, DataType.DOUBLE);
      FineTuningRun run =
          tuning(network, data)
              .withCodebooks(WeightedEntropyCodebooks.DEFAULT)
              .with(new FineTuneConfiguration.Builder().updater(new Adam(5e-3)).build())
              .start();
      QuantizedModel before = run.model();
      assertEquals(
          graph ? ImmutableSet.of("stem", "relu") : ImmutableSet.of("layer2", "second"),
          logarithmic(before).keySet());
      INDArray features = TEST.getFeatures().castTo(DataType.DOUBLE);
      FineTuningNetworks.sameCodes(run.network(), before, features);
      Model trained = run.network();
      run.fit(data, 3);
      assertSame(trained, run.network());
      QuantizedModel after = run.model();
      int compared = FineTuningNetworks.sameCodes(run.network(), after, features);
      assertTrue(compared > 3, "only " + compared + " values were compared");
      assertEquals(logarithmic(before).keySet(), logarithmic(after).keySet());
      assertNotEquals(logarithmic(before), logarithmic(after));
      before
          .activations()
          .forEach(
              (name, format) -> {
                if (format.levels().isEmpty()) {
                  assertEquals(format, after.activations().get(name));
                } else {
                  assertEquals(4, after.activations().get(name).storedBits());
                }
              });
    }
  }

  @Test
  void levelsAreSearchedInWhatTrainingSaw() {
    MultiLayerNetwork network = FineTuningNetworks.layers(DataType.FLOAT);
    DataSetIterator data = FineTuningNetworks.batches(TRAIN, DataType.FLOAT);
    DataSetIterator large =
        FineTuningNetworks.batches(
            new DataSet(TRAIN.getFeatures().mul(4), TRAIN.getLabels()), DataType.FLOAT);
    FineTuningRun run =
        tuning(network, data)
            .with(new FineTuneConfiguration.Builder().updater(new Sgd(0)).build())
            .start();
    QuantizedModel before = run.model();
    run.fit(large, 1);
    assertEquals(before.activations(), run.model().activations(), "not before the first epoch");
    run.fit(large, 1);
    MultiLayerNetwork training = (MultiLayerNetwork) run.network();
    LogHistogram seen = LogHistogram.create();
    MultiLayerNetwork floats = (MultiLayerNetwork) before.plainNetwork().model();
    // The first layer's input is quantized; its weights are those of the codes.
    ActivationFormat input = before.activations().get("input");
    large.reset();
    while (large.hasNext()) {
      INDArray x = large.next().getFeatures().dup();
      for (long i = 0; i < x.length(); i++) {
        x.putScalar(i, input.formats().get(0).fakeQuantize(x.getFloat(i)));
      }
      for (float value : floats.feedForwardToLayer(2, x).get(3).dup().data().asFloat()) {
        seen.accept(value);
      }
    }
    LogBins bins = seen.snapshot();
    assertEquals(
        new WeightedEntropyActivations(16).choose(bins),
        run.model().activations().get("layer2").levels());
    assertNotEquals(before.activations(), run.model().activations());
    assertSame(training, run.network());
  }

  @Test
  void levelsChangeWhateverTheWeightsLearnBy() {
    Model network = network(false, DataType.DOUBLE);
    DataSetIterator data = FineTuningNetworks.batches(TRAIN, DataType.DOUBLE);
    INDArray features = TEST.getFeatures().castTo(DataType.DOUBLE);
    for (MixedPrecisionFineTuning tuning :
        List.of(
            tuning(network, data).withMasterWeights(ResidualGradientListener::builder),
            tuning(network, data).withLearnedSteps(1e-3),
            tuning(network, data).choosingFormatsEachEpoch())) {
      QuantizedModel before = tuning.start().model();
      FineTuningRun run =
          tuning
              .with(new FineTuneConfiguration.Builder().updater(new Adam(2e-2)).build())
              .fit(data, 3);
      assertEquals(logarithmic(before).keySet(), logarithmic(run.model()).keySet());
      assertNotEquals(logarithmic(before), logarithmic(run.model()));
      assertTrue(FineTuningNetworks.sameCodes(run.network(), run.model(), features) > 3);
    }
  }

  @Test
  void aSavedNetworkComputesWithTheLevels() throws IOException {
    for (boolean graph : new boolean[] {false, true}) {
      Model network = network(graph, DataType.FLOAT);
      DataSetIterator data = FineTuningNetworks.batches(TRAIN, DataType.FLOAT);
      FineTuningRun run = tuning(network, data).fit(data, 2);
      ByteArrayOutputStream out = new ByteArrayOutputStream();
      ModelSerializer.writeModel(run.network(), out, true);
      ByteArrayInputStream in = new ByteArrayInputStream(out.toByteArray());
      INDArray features = TEST.getFeatures();
      if (graph) {
        ComputationGraph read = ModelSerializer.restoreComputationGraph(in);
        assertEquals(
            ((ComputationGraph) run.network()).outputSingle(features), read.outputSingle(features));
        assertEquals(run.model().layers(), run.model(read).layers());
      } else {
        MultiLayerNetwork read = ModelSerializer.restoreMultiLayerNetwork(in);
        assertEquals(((MultiLayerNetwork) run.network()).output(features), read.output(features));
        assertEquals(run.model().layers(), run.model(read).layers());
      }
    }
  }

  @Test
  void trainingGivesBackWhatFewLevelsHaveTaken() {
    for (boolean graph : new boolean[] {false, true}) {
      Model network = network(graph, DataType.FLOAT);
      DataSetIterator data = FineTuningNetworks.batches(TRAIN, DataType.FLOAT);
      DataSetIterator test = FineTuningNetworks.batches(TEST, DataType.FLOAT);
      double whole = FineTuningNetworks.accuracy(network, test);
      QuantizedModel tuned = tuning(network, data).fit(data, 6).model();
      double accuracy = FineTuningNetworks.accuracy(tuned.toNetwork(), test);
      assertTrue(whole > 0.8 && accuracy > whole - 0.04, whole + " in floats, " + accuracy);
    }
  }
}
