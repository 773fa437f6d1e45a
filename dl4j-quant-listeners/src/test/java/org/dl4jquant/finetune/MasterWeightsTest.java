package org.dl4jquant.finetune;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.Convolution1DLayer;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.transferlearning.FineTuneConfiguration;
import org.dl4jquant.Quantization;
import org.dl4jquant.convert.QuantizedModel;
import org.dl4jquant.convert.WeightedEntropyCodebooks;
import org.dl4jquant.dl4j.Dl4jLayer;
import org.dl4jquant.dl4j.Dl4jNetwork;
import org.dl4jquant.dl4j.Dl4jParameter;
import org.dl4jquant.listeners.AccumulatedUpdateListener;
import org.dl4jquant.listeners.LimitedPrecisionBuilder;
import org.dl4jquant.listeners.LimitedPrecisionListener;
import org.dl4jquant.listeners.ResidualGradientListener;
import org.dl4jquant.precision.LayerPrecision;
import org.dl4jquant.precision.PrecisionPlan;
import org.dl4jquant.update.UpdateStatistics;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;

/** Fine-tuning with weights on their grids and what is left of updates in a buffer. */
final class MasterWeightsTest {
  private static final DataSet TRAIN = FineTuningNetworks.images(240, 1);
  private static final DataSet TEST = FineTuningNetworks.images(200, 2);
  private static final List<Supplier<LimitedPrecisionBuilder<?>>> METHODS =
      List.of(AccumulatedUpdateListener::builder, ResidualGradientListener::builder);

  @TempDir Path folder;

  private static Model trained(boolean graph, DataType type) {
    Model network = graph ? FineTuningNetworks.graph(type) : FineTuningNetworks.layers(type);
    FineTuningNetworks.fit(network, FineTuningNetworks.batches(TRAIN, type), 4);
    return network;
  }

  private static MixedPrecisionFineTuning tuning(
      Model network, int weights, int activations, DataSetIterator data) {
    return MixedPrecisionFineTuning.of(
            network, PrecisionPlan.uniform(LayerPrecision.of(weights, activations)), data)
        .with(new FineTuneConfiguration.Builder().updater(new Adam(2e-3)).build());
  }

  @Test
  void codesLearnWithoutFloatsBehindThem() {
    for (boolean graph : new boolean[] {false, true}) {
      Model network = trained(graph, DataType.FLOAT);
      DataSetIterator data = FineTuningNetworks.batches(TRAIN, DataType.FLOAT);
      DataSetIterator test = FineTuningNetworks.batches(TEST, DataType.FLOAT);
      double whole = FineTuningNetworks.accuracy(network, test);
      for (Supplier<LimitedPrecisionBuilder<?>> method : METHODS) {
        FineTuningRun run = tuning(network, 3, 5, data).withMasterWeights(method).start();
        QuantizedModel before = run.model();
        run.fit(data, 4);
        QuantizedModel after = run.model();
        double tuned = FineTuningNetworks.accuracy(after.toNetwork(), test);
        assertTrue(tuned > whole - 0.03, whole + " in floats, " + tuned + " tuned");
        assertNotEquals(before.layers(), after.layers());
        assertOnGrid(run.network(), after);
        LimitedPrecisionListener masters = run.masters().orElseThrow();
        assertTrue(masters.carried().size() >= 3, masters.carried().toString());
        long moved = 0;
        for (UpdateStatistics own : masters.statistics().values()) {
          assertTrue(own.deadZone() > 0, own.toString());
          assertEquals(0, own.outside(), own.toString());
          moved += own.moved();
        }
        assertTrue(moved > 0, "no code moved");
      }
    }
  }

  /** The weights of the network in training are the numbers of the codes, bit for bit. */
  private static void assertOnGrid(Model training, QuantizedModel model) {
    Dl4jNetwork codes = model.plainNetwork();
    Map<String, Dl4jParameter> live =
        Dl4jNetwork.of(training).layers().stream()
            .flatMap(layer -> layer.parameters().stream())
            .collect(java.util.stream.Collectors.toMap(Dl4jParameter::name, own -> own));
    int compared = 0;
    for (Dl4jLayer layer : codes.layers()) {
      for (Dl4jParameter parameter : layer.parameters()) {
        Dl4jParameter own = live.get(parameter.name());
        if (parameter.isWeight() && own != null) {
          assertEquals(parameter.value(), own.value(), parameter.name());
          compared++;
        }
      }
    }
    assertTrue(compared >= 3, "only " + compared + " weights were compared");
  }

  @Test
  void integersAreTheCodesWithWhichTheNetworkWasTrained() {
    for (boolean graph : new boolean[] {false, true}) {
      Model network = trained(graph, DataType.DOUBLE);
      DataSetIterator data = FineTuningNetworks.batches(TRAIN, DataType.DOUBLE);
      INDArray features = TEST.getFeatures().castTo(DataType.DOUBLE);
      for (boolean levels : new boolean[] {false, true}) {
        MixedPrecisionFineTuning tuning =
            tuning(network, 4, 5, data).withMasterWeights(ResidualGradientListener::builder);
        FineTuningRun run =
            (levels ? tuning.withCodebooks(WeightedEntropyCodebooks.DEFAULT) : tuning).fit(data, 2);
        int compared = FineTuningNetworks.sameCodes(run.network(), run.model(), features);
        assertTrue(compared > 3, "only " + compared + " values were compared");
      }
    }
  }

  @Test
  void formatsAndLevelsFollowTheFineWeights() {
    Model network = trained(false, DataType.FLOAT);
    DataSetIterator data = FineTuningNetworks.batches(TRAIN, DataType.FLOAT);
    FineTuningRun run =
        tuning(network, 3, 5, data)
            .withMasterWeights(ResidualGradientListener::builder)
            .choosingFormatsEachEpoch()
            .start();
    Model first = run.network();
    LimitedPrecisionListener masters = run.masters().orElseThrow();
    run.fit(data, 1);
    INDArray fine = masters.fineWeights("second", "W").orElseThrow();
    run.fit(data, 1);
    assertTrue(first != run.network() && masters != run.masters().orElseThrow());
    assertEquals(
        1,
        ((MultiLayerNetwork) run.network())
            .getListeners().stream().filter(LimitedPrecisionListener.class::isInstance).count());
    INDArray moved = run.masters().orElseThrow().fineWeights("second", "W").orElseThrow().sub(fine);
    assertTrue(moved.amaxNumber().doubleValue() < 0.1, "far from where it was: " + moved);

    FineTuningRun levels =
        tuning(network, 3, 5, data)
            .withMasterWeights(AccumulatedUpdateListener::builder)
            .withCodebooks(WeightedEntropyCodebooks.DEFAULT)
            .fit(data, 1);
    QuantizedModel before = levels.model();
    levels.fit(data, 2);
    assertNotEquals(before.layers(), levels.model().layers());
  }

  @Test
  void layersWithoutWeightNoiseAreCarriedToo() {
    MultiLayerNetwork network =
        new MultiLayerNetwork(
            FineTuningNetworks.base(DataType.FLOAT)
                .list()
                .layer(new Convolution1DLayer.Builder(3).nOut(4).name("own").build())
                .layer(new GlobalPoolingLayer.Builder().build())
                .layer(new OutputLayer.Builder().nOut(2).activation(Activation.SOFTMAX).build())
                .setInputType(InputType.recurrent(3, 8))
                .build());
    network.init();
    Nd4j.getRandom().setSeed(5);
    INDArray features = Nd4j.randn(DataType.FLOAT, 12, 3, 8);
    DataSet data = new DataSet(features, Nd4j.eye(2).getRows(0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1));
    QuantizedModel model =
        Quantization.of(network).weightBits(4).calibrate(data.getFeatures()).convert();
    for (boolean levels : new boolean[] {false, true}) {
      MixedPrecisionFineTuning tuning =
          MixedPrecisionFineTuning.of(network, model)
              .withMasterWeights(ResidualGradientListener::builder);
      FineTuningRun run =
          (levels ? tuning.withCodebooks(WeightedEntropyCodebooks.DEFAULT) : tuning).start();
      assertEquals(levels ? List.of("own/W", "own/b") : List.of("own/b"), run.shadowed());
      MultiLayerNetwork training = (MultiLayerNetwork) run.network();
      double before = training.score(data);
      for (int i = 0; i < 40; i++) {
        training.fit(data);
      }
      assertTrue(training.score(data) < before, "from " + before);
      assertEquals(
          ((MultiLayerNetwork) run.model().plainNetwork().model()).getParam("0_W"),
          training.getParam("0_W"));
    }
  }

  @Test
  void savedMastersGoOnWithTheSameBits() throws Exception {
    Model network = trained(false, DataType.FLOAT);
    DataSetIterator data = FineTuningNetworks.batches(TRAIN, DataType.FLOAT);
    for (boolean levels : new boolean[] {false, true}) {
      MixedPrecisionFineTuning masters =
          tuning(network, 3, 5, data).withMasterWeights(ResidualGradientListener::builder);
      MixedPrecisionFineTuning tuning =
          levels ? masters.withCodebooks(WeightedEntropyCodebooks.DEFAULT) : masters;
      FineTuningRun first = tuning.fit(data, 2);
      Path state = folder.resolve("state");
      first.saveState(state);
      Model saved = ((MultiLayerNetwork) first.network()).clone();
      FineTuningRun second = tuning.start();
      second.restoreState(state, saved);
      assertEquals(first.model(), second.model());
      first.fit(data, 2);
      second.fit(data, 2);
      assertEquals(first.network().params(), second.network().params());
      assertEquals(
          first.masters().orElseThrow().fineWeights("second", "W"),
          second.masters().orElseThrow().fineWeights("second", "W"));
      assertEquals(first.model(), second.model());
      FineTuningRun floats = tuning(network, 3, 5, data).start();
      assertThrows(IllegalArgumentException.class, () -> floats.restoreState(state, saved));
    }
  }

  @Test
  void realigningKeepsTheCodesOfWeights() {
    for (boolean graph : new boolean[] {false, true}) {
      Model network = trained(graph, DataType.FLOAT);
      DataSetIterator data = FineTuningNetworks.batches(TRAIN, DataType.FLOAT);
      FineTuningRun run =
          tuning(network, 3, 5, data)
              .withMasterWeights(ResidualGradientListener::builder)
              .withCodebooks(WeightedEntropyCodebooks.DEFAULT, layer -> layer.startsWith("s"))
              .with(new FineTuneConfiguration.Builder().updater(new Adam(2e-2)).build())
              .fit(data, 2);
      QuantizedModel trained = run.model();
      QuantizedModel again = run.realigned();
      assertNotEquals(trained.activations(), again.activations());
      Dl4jNetwork expected = trained.plainNetwork();
      for (int i = 0; i < expected.layers().size(); i++) {
        for (int p = 0; p < expected.layers().get(i).parameters().size(); p++) {
          Dl4jParameter own = expected.layers().get(i).parameters().get(p);
          if (own.isWeight()) {
            assertEquals(
                own.value(),
                again.plainNetwork().layers().get(i).parameters().get(p).value(),
                own.name());
          }
        }
      }
      DataSetIterator test = FineTuningNetworks.batches(TEST, DataType.FLOAT);
      double accuracy = FineTuningNetworks.accuracy(trained.toNetwork(), test);
      assertEquals(accuracy, FineTuningNetworks.accuracy(again.toNetwork(), test), 0.1);
    }
  }
}
