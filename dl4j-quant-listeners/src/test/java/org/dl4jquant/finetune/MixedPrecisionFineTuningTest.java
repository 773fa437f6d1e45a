package org.dl4jquant.finetune;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.common.collect.ImmutableList;
import java.util.List;
import org.deeplearning4j.earlystopping.EarlyStoppingConfiguration;
import org.deeplearning4j.earlystopping.saver.InMemoryModelSaver;
import org.deeplearning4j.earlystopping.scorecalc.DataSetLossCalculator;
import org.deeplearning4j.earlystopping.termination.MaxEpochsTerminationCondition;
import org.deeplearning4j.earlystopping.trainer.EarlyStoppingTrainer;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.graph.MergeVertex;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.Convolution1DLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.DropoutLayer;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.recurrent.Bidirectional;
import org.deeplearning4j.nn.conf.layers.recurrent.LastTimeStep;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.transferlearning.FineTuneConfiguration;
import org.deeplearning4j.nn.transferlearning.TransferLearning;
import org.dl4jquant.Quantization;
import org.dl4jquant.convert.Conversion;
import org.dl4jquant.convert.QuantizedLayer;
import org.dl4jquant.convert.QuantizedModel;
import org.dl4jquant.convert.WeightedEntropyCodebooks;
import org.dl4jquant.dl4j.Dl4jNetwork;
import org.dl4jquant.precision.LayerPrecision;
import org.dl4jquant.precision.LayerSelector;
import org.dl4jquant.precision.PrecisionPlan;
import org.dl4jquant.precision.Scheme;
import org.dl4jquant.precision.Target;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.dataset.adapter.SingletonMultiDataSetIterator;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;
import org.nd4j.linalg.dataset.api.iterator.MultiDataSetIterator;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.Sgd;

final class MixedPrecisionFineTuningTest {
  private static final DataSet TRAIN = FineTuningNetworks.images(240, 1);
  private static final DataSet TEST = FineTuningNetworks.images(200, 2);

  private static Model trained(boolean graph, DataType type) {
    Model network = graph ? FineTuningNetworks.graph(type) : FineTuningNetworks.layers(type);
    FineTuningNetworks.fit(network, FineTuningNetworks.batches(TRAIN, type), 4);
    return network;
  }

  private static PrecisionPlan plan(int weights, int activations) {
    return PrecisionPlan.uniform(LayerPrecision.of(weights, activations));
  }

  @Test
  void integersAreTheCodesWithWhichTheNetworkWasTrained() {
    for (boolean graph : new boolean[] {false, true}) {
      Model network = trained(graph, DataType.DOUBLE);
      DataSetIterator data = FineTuningNetworks.batches(TRAIN, DataType.DOUBLE);
      FineTuningRun run =
          MixedPrecisionFineTuning.of(network, plan(3, 5), data)
              .with(new FineTuneConfiguration.Builder().updater(new Adam(2e-3)).build())
              .start();
      INDArray features = TEST.getFeatures().castTo(DataType.DOUBLE);
      FineTuningNetworks.sameCodes(run.network(), run.model(), features);
      QuantizedModel before = run.model();
      run.fit(data, 2);
      QuantizedModel after = run.model();
      int compared = FineTuningNetworks.sameCodes(run.network(), after, features);
      assertTrue(compared > 3, "only " + compared + " values were compared");
      assertEquals(before.activations(), after.activations());
      assertFalse(before.layers().equals(after.layers()));
      for (int i = 0; i < before.layers().size(); i++) {
        assertEquals(formats(before.layers().get(i)), formats(after.layers().get(i)));
      }
      assertEquals(List.of(), run.shadowed());
    }
  }

  private static List<Object> formats(QuantizedLayer layer) {
    return layer.parameters().stream()
        .filter(parameter -> parameter.key().equals("W"))
        .<Object>map(parameter -> parameter.codes().orElseThrow().formats())
        .toList();
  }

  /** Adaptive rounding, corrected biases and traded powers of two are not thrown away. */
  @Test
  void trainingStartsWithTheCodesOfTheModel() {
    for (boolean graph : new boolean[] {false, true}) {
      Model network = trained(graph, DataType.FLOAT);
      DataSetIterator data = FineTuningNetworks.batches(TRAIN, DataType.FLOAT);
      Quantization calibrated =
          Quantization.of(network).weightBits(3).activationBits(6).calibrate(data);
      for (Quantization way :
          List.of(
              calibrated,
              calibrated.target(Target.ONNX),
              calibrated.codebooks(WeightedEntropyCodebooks.DEFAULT),
              Quantization.of(network).weightBits(3))) {
        QuantizedModel model = way.convert();
        FineTuningRun run = MixedPrecisionFineTuning.of(network, model).start();
        assertEquals(codes(model), codes(run.model()));
        assertEquals(model.activations(), run.model().activations());
      }
    }
  }

  private static List<Object> codes(QuantizedModel model) {
    return model.layers().stream()
        .flatMap(layer -> layer.parameters().stream())
        .<Object>map(own -> own.codes().isPresent() ? own.codes().get() : own.values())
        .toList();
  }

  @Test
  void affineModelsAreTuned() {
    for (boolean graph : new boolean[] {false, true}) {
      Model network = trained(graph, DataType.FLOAT);
      DataSetIterator data = FineTuningNetworks.batches(TRAIN, DataType.FLOAT);
      QuantizedModel model =
          Quantization.of(network)
              .scheme(Scheme.AFFINE)
              .weightBits(2)
              .activationBits(6)
              .calibrate(data)
              .convert();
      MixedPrecisionFineTuning tuning = MixedPrecisionFineTuning.of(network, model);
      FineTuningRun run = tuning.start();
      assertEquals(codes(model), codes(run.model()));
      run.fit(data, 4);
      QuantizedModel tuned = run.model();
      assertNotEquals(codes(model), codes(tuned));
      assertEquals(formats(model.layers().get(0)), formats(tuned.layers().get(0)));
      assertEquals(configuration(run.network()), restoredConfiguration(run.network()));
      DataSetIterator test = FineTuningNetworks.batches(TEST, DataType.FLOAT);
      double promised = FineTuningNetworks.accuracy(run.network(), test);
      assertEquals(promised, FineTuningNetworks.accuracy(tuned.toNetwork(), test), 0.02);
      assertTrue(promised > FineTuningNetworks.accuracy(network, test) - 0.03, "" + promised);
      assertThrows(IllegalArgumentException.class, () -> tuning.withLearnedSteps(1e-3).start());
      assertThrows(
          IllegalArgumentException.class,
          () -> tuning.withCodebooks(WeightedEntropyCodebooks.DEFAULT).start());
    }
  }

  private static Object configuration(Model network) {
    return network instanceof ComputationGraph graph
        ? graph.getConfiguration()
        : ((MultiLayerNetwork) network).getLayerWiseConfigurations();
  }

  private static Object restoredConfiguration(Model network) {
    return network instanceof ComputationGraph graph
        ? ComputationGraphConfiguration.fromJson(graph.getConfiguration().toJson())
        : MultiLayerConfiguration.fromJson(
            ((MultiLayerNetwork) network).getLayerWiseConfigurations().toJson());
  }

  @Test
  void biasesThatOutgrowTheirFormatGetAnother() {
    Model network = trained(false, DataType.FLOAT);
    FineTuningRun run =
        MixedPrecisionFineTuning.of(network, Quantization.of(network).weightBits(4).convert())
            .start();
    ((MultiLayerNetwork) run.network()).getParam("0_b").assign(5.3);
    INDArray bias = ((MultiLayerNetwork) run.model().toNetwork()).getParam("0_b");
    assertEquals(5.3, bias.minNumber().doubleValue(), 1e-3);
    assertEquals(5.3, bias.maxNumber().doubleValue(), 1e-3);
  }

  private static MultiLayerNetwork recurrent(Layer first) {
    MultiLayerNetwork network =
        new MultiLayerNetwork(
            FineTuningNetworks.base(DataType.FLOAT)
                .list()
                .layer(first)
                .layer(new DenseLayer.Builder().nOut(4).build())
                .layer(new OutputLayer.Builder().nOut(3).activation(Activation.SOFTMAX).build())
                .setInputType(InputType.recurrent(8, 8))
                .build());
    network.init();
    return network;
  }

  @Test
  void dropoutOfLayersInsideOthersIsLeftOut() {
    LSTM cell = new LSTM.Builder().nOut(5).dropOut(0.5).build();
    for (Layer first :
        List.of(
            new LastTimeStep(cell),
            new LastTimeStep(new Bidirectional(Bidirectional.Mode.CONCAT, cell)))) {
      MultiLayerNetwork network = recurrent(first);
      MultiLayerNetwork tuned =
          (MultiLayerNetwork)
              MixedPrecisionFineTuning.of(network, Quantization.of(network).weightBits(4).convert())
                  .withoutDropout()
                  .start()
                  .network();
      INDArray input = Nd4j.rand(DataType.FLOAT, 6, 8, 8);
      assertEquals(tuned.feedForward(input, true), tuned.feedForward(input, true));
    }
  }

  @Test
  void stepsOfFrozenLayersStay() {
    MultiLayerNetwork network =
        new MultiLayerNetwork(
            FineTuningNetworks.base(DataType.FLOAT)
                .list()
                .layer(new DenseLayer.Builder().nOut(6).build())
                .layer(new DenseLayer.Builder().nOut(4).build())
                .layer(new OutputLayer.Builder().nOut(3).activation(Activation.SOFTMAX).build())
                .setInputType(InputType.feedForward(64))
                .build());
    network.init();
    MultiLayerNetwork frozen = new TransferLearning.Builder(network).setFeatureExtractor(0).build();
    INDArray features = TRAIN.getFeatures().reshape('c', 240, 64);
    DataSetIterator data =
        FineTuningNetworks.batches(new DataSet(features, TRAIN.getLabels()), DataType.FLOAT);
    FineTuningRun run =
        MixedPrecisionFineTuning.of(frozen, plan(4, 6), data).withLearnedSteps(1e-2).start();
    var before = run.learnedSteps();
    run.fit(data, 1);
    var after = run.learnedSteps();
    assertEquals(before.get("layer0/W"), after.get("layer0/W"));
    assertNotEquals(before.get("layer1/W"), after.get("layer1/W"));
  }

  @Test
  void formatsOfAModelThatIsGivenStay() {
    Model network = trained(false, DataType.FLOAT);
    MixedPrecisionFineTuning tuning =
        MixedPrecisionFineTuning.of(network, Quantization.of(network).weightBits(4).convert());
    assertThrows(IllegalStateException.class, tuning::choosingFormatsEachEpoch);
    assertThrows(IllegalStateException.class, tuning::startWithLiveNormalization);
    assertThrows(IllegalStateException.class, tuning.start()::freeze);
    assertThrows(
        IllegalArgumentException.class,
        () -> tuning.fit(FineTuningNetworks.batches(TRAIN, DataType.FLOAT), -1));
    MultiLayerNetwork other = recurrent(new LastTimeStep(new LSTM.Builder().nOut(5).build()));
    IllegalArgumentException ofAnother =
        assertThrows(
            IllegalArgumentException.class,
            () -> MixedPrecisionFineTuning.of(other, Quantization.of(network).convert()).start());
    assertTrue(ofAnother.getMessage().startsWith("model must"), ofAnother.getMessage());
  }

  @Test
  void trainingGivesBackWhatFewBitsHaveTaken() {
    for (boolean graph : new boolean[] {false, true}) {
      Model network = trained(graph, DataType.FLOAT);
      DataSetIterator data = FineTuningNetworks.batches(TRAIN, DataType.FLOAT);
      DataSetIterator test = FineTuningNetworks.batches(TEST, DataType.FLOAT);
      double whole = FineTuningNetworks.accuracy(network, test);
      INDArray untouched = network.params().dup();
      Quantization nearest =
          Quantization.of(network)
              .conversion(Conversion.DEFAULT.withAdaptiveRounding(0))
              .calibrate(data);
      FineTuningRun run = MixedPrecisionFineTuning.of(network, nearest.convert(plan(2, 4))).start();
      double rounded = FineTuningNetworks.accuracy(run.model().toNetwork(), test);
      run.fit(data, 6);
      double tuned = FineTuningNetworks.accuracy(run.model().toNetwork(), test);
      String what = whole + " in floats, " + rounded + " rounded, " + tuned + " tuned";
      assertTrue(whole > 0.8 && rounded < whole - 0.02 && tuned > whole - 0.03, what);
      assertEquals(untouched, network.params());
    }
  }

  @Test
  void networksOfSeveralInputsAreTuned() {
    ComputationGraph network =
        new ComputationGraph(
            FineTuningNetworks.base(DataType.FLOAT)
                .graphBuilder()
                .addInputs("left", "right")
                .setInputTypes(InputType.feedForward(6), InputType.feedForward(6))
                .addLayer("first", new DenseLayer.Builder().nOut(8).build(), "left")
                .addLayer("second", new DenseLayer.Builder().nOut(8).build(), "right")
                .addVertex("both", new MergeVertex(), "first", "second")
                .addLayer(
                    "out",
                    new OutputLayer.Builder().nOut(2).activation(Activation.SOFTMAX).build(),
                    "both")
                .setOutputs("out")
                .build());
    network.init();
    Nd4j.getRandom().setSeed(3);
    INDArray left = Nd4j.randn(DataType.FLOAT, 120, 6);
    INDArray right = Nd4j.randn(DataType.FLOAT, 120, 6);
    INDArray second = left.sum(1).gt(right.sum(1)).castTo(DataType.FLOAT).reshape(120, 1);
    MultiDataSet examples =
        new MultiDataSet(
            new INDArray[] {left, right}, new INDArray[] {Nd4j.concat(1, second.rsub(1), second)});
    MultiDataSetIterator data = new SingletonMultiDataSetIterator(examples);
    network.fit(data, 80);
    FineTuningRun run = MixedPrecisionFineTuning.of(network, plan(2, 4), data).start();
    double rounded = ((ComputationGraph) run.model().toNetwork()).score(examples, false);
    run.fit(data, 60);
    double tuned = ((ComputationGraph) run.model().toNetwork()).score(examples, false);
    assertTrue(tuned < 0.9 * rounded, rounded + " rounded, " + tuned + " tuned");
  }

  @Test
  void earlyStoppingChoosesAState() {
    Model network = trained(false, DataType.FLOAT);
    DataSetIterator data = FineTuningNetworks.batches(TRAIN, DataType.FLOAT);
    DataSetIterator test = FineTuningNetworks.batches(TEST, DataType.FLOAT);
    FineTuningRun run = MixedPrecisionFineTuning.of(network, plan(3, 6), data).start();
    var stopping =
        new EarlyStoppingConfiguration.Builder<MultiLayerNetwork>()
            .epochTerminationConditions(new MaxEpochsTerminationCondition(3))
            .scoreCalculator(new DataSetLossCalculator(test, true))
            .modelSaver(new InMemoryModelSaver<>())
            .build();
    Model best =
        new EarlyStoppingTrainer(stopping, (MultiLayerNetwork) run.network(), data)
            .fit()
            .getBestModel();
    double promised = FineTuningNetworks.accuracy(best, test);
    assertEquals(promised, FineTuningNetworks.accuracy(run.model(best).toNetwork(), test), 0.006);
    assertTrue(promised > 0.9, "accuracy " + promised);
  }

  @Test
  void layersWithoutWeightNoiseLearnBehindAListener() {
    MultiLayerNetwork network =
        new MultiLayerNetwork(
            FineTuningNetworks.base(DataType.DOUBLE)
                .list()
                .layer(new Convolution1DLayer.Builder(3).nOut(7).name("conv").build())
                .layer(new GlobalPoolingLayer.Builder().build())
                .layer(new DenseLayer.Builder().nOut(5).name("dense").build())
                .layer(new OutputLayer.Builder().nOut(3).activation(Activation.SOFTMAX).build())
                .setInputType(InputType.recurrent(8, 8))
                .build());
    network.init();
    INDArray features = TRAIN.getFeatures().castTo(DataType.DOUBLE).reshape('c', 240, 8, 8);
    DataSet rows = new DataSet(features, TRAIN.getLabels().castTo(DataType.DOUBLE));
    DataSetIterator data = FineTuningNetworks.batches(rows, DataType.DOUBLE);
    network.fit(data, 3);
    FineTuningRun run = MixedPrecisionFineTuning.of(network, plan(3, 6), data).start();
    assertEquals(ImmutableList.of("conv/W", "conv/b"), run.shadowed());
    MultiLayerNetwork training = (MultiLayerNetwork) run.network();
    INDArray start = training.getParam("0_W").dup();
    double before = training.score(rows);
    run.fit(data, 6);
    assertFalse(start.equals(training.getParam("0_W")), "the codes never changed");
    assertTrue(training.score(rows) < before, "the loss did not fall");
    QuantizedModel model = run.model();
    assertEquals(
        training.getParam("0_W"),
        ((MultiLayerNetwork) model.plainNetwork().model()).getParam("0_W"));
    FineTuningNetworks.sameCodes(training, model, features);
  }

  @Test
  void levelsOnAGridComputeInIntegers() {
    Model network = trained(false, DataType.DOUBLE);
    DataSetIterator data = FineTuningNetworks.batches(TRAIN, DataType.DOUBLE);
    FineTuningRun run =
        MixedPrecisionFineTuning.of(network, plan(3, 5), data)
            .withCodebooks(WeightedEntropyCodebooks.DEFAULT)
            .start();
    run.fit(data, 3);
    QuantizedModel model = run.model();
    assertEquals(3, model.layers().get(0).weightBits());
    INDArray features = TEST.getFeatures().castTo(DataType.DOUBLE);
    int compared = FineTuningNetworks.sameCodes(run.network(), model, features);
    assertTrue(compared > 3, "only " + compared + " values were compared");
    assertTrue(model.accumulatorBits().size() > 3, "sums are not integers");

    FineTuningRun floats =
        MixedPrecisionFineTuning.of(network, plan(3, 5), data)
            .withCodebooks(WeightedEntropyCodebooks.DEFAULT.offGrid(), "second"::equals)
            .start();
    QuantizedModel mixed = floats.model();
    assertTrue(mixed.toQuantizedGraph().weights("second/preactivation").isEmpty());
    assertTrue(model.toQuantizedGraph().weights("second/preactivation").isPresent());
    INDArray difference =
        mixed.network().output(features).get(0).sub(network(floats).output(features).get(0));
    assertEquals(0, difference.amaxNumber().doubleValue(), 1e-3); // the logits have 16 bits
  }

  private static Dl4jNetwork network(FineTuningRun run) {
    return Dl4jNetwork.of(run.network());
  }

  @Test
  void formatsCanFollowTheWeights() {
    Model network = trained(true, DataType.FLOAT);
    DataSetIterator data = FineTuningNetworks.batches(TRAIN, DataType.FLOAT);
    FineTuningRun run =
        MixedPrecisionFineTuning.of(network, plan(3, 5), data)
            .with(new FineTuneConfiguration.Builder().updater(new Sgd(0.3)).build())
            .choosingFormatsEachEpoch()
            .start();
    Model first = run.network();
    QuantizedModel before = run.model();
    run.fit(data, 3);
    assertFalse(first == run.network());
    assertFalse(before.activations().equals(run.model().activations()));
    assertEquals(45, ((ComputationGraph) run.network()).getIterationCount());
    assertTrue(
        FineTuningNetworks.accuracy(
                run.model().toNetwork(), FineTuningNetworks.batches(TEST, DataType.FLOAT))
            > 0.9);
  }

  @Test
  void normalizationLivesUntilItIsFrozen() {
    for (boolean graph : new boolean[] {false, true}) {
      Model network = trained(graph, DataType.DOUBLE);
      DataSetIterator data = FineTuningNetworks.batches(TRAIN, DataType.DOUBLE);
      FineTuningRun run =
          MixedPrecisionFineTuning.of(network, plan(3, 6), data).startWithLiveNormalization();
      run.fit(data, 1);
      assertTrue(run.model().activations().isEmpty());
      String key = graph ? "normal_mean" : "4_mean";
      Model live = run.network();
      assertFalse(network.getParam(key).equals(live.getParam(key)), "statistics did not move");
      run.freeze().fit(data, 2);
      assertFalse(live == run.network());
      INDArray features = TEST.getFeatures().castTo(DataType.DOUBLE);
      assertTrue(FineTuningNetworks.sameCodes(run.network(), run.model(), features) > 3);
      DataSetIterator test = FineTuningNetworks.batches(TEST, DataType.DOUBLE);
      assertTrue(FineTuningNetworks.accuracy(run.model().toNetwork(), test) > 0.8);
    }
  }

  @Test
  void dropoutStaysOrGoes() {
    MultiLayerNetwork network =
        new MultiLayerNetwork(
            FineTuningNetworks.base(DataType.FLOAT)
                .list()
                .layer(new DenseLayer.Builder().nOut(9).dropOut(0.5).build())
                .layer(new DropoutLayer(0.5))
                .layer(new OutputLayer.Builder().nOut(3).activation(Activation.SOFTMAX).build())
                .setInputType(InputType.feedForward(4))
                .build());
    network.init();
    DataSet one = new DataSet(Nd4j.rand(6, 4), Nd4j.eye(6).getColumns(0, 1, 2));
    QuantizedModel model =
        Quantization.of(network)
            .pin(LayerSelector.named("layer0"), 4)
            .calibrate(one.getFeatures())
            .convert();
    MixedPrecisionFineTuning tuning = MixedPrecisionFineTuning.of(network, model);
    MultiLayerNetwork with = (MultiLayerNetwork) tuning.start().network();
    MultiLayerNetwork without = (MultiLayerNetwork) tuning.withoutDropout().start().network();
    assertFalse(
        with.feedForward(one.getFeatures(), true)
            .equals(with.feedForward(one.getFeatures(), false)));
    assertEquals(
        without.feedForward(one.getFeatures(), false),
        without.feedForward(one.getFeatures(), true));
  }
}
