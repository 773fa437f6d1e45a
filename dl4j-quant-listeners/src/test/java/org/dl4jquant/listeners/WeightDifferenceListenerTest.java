package org.dl4jquant.listeners;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Supplier;
import org.deeplearning4j.earlystopping.EarlyStoppingConfiguration;
import org.deeplearning4j.earlystopping.saver.InMemoryModelSaver;
import org.deeplearning4j.earlystopping.scorecalc.DataSetLossCalculator;
import org.deeplearning4j.earlystopping.termination.MaxEpochsTerminationCondition;
import org.deeplearning4j.earlystopping.trainer.EarlyStoppingTrainer;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.conf.layers.recurrent.Bidirectional;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.transferlearning.TransferLearning;
import org.deeplearning4j.util.ModelSerializer;
import org.dl4jquant.stats.DifferenceAggregate;
import org.dl4jquant.stats.DifferenceReference;
import org.dl4jquant.stats.InvalidStatisticsException;
import org.dl4jquant.stats.LayerDifference;
import org.dl4jquant.stats.TrainingCycle;
import org.dl4jquant.stats.WeightDifferences;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

final class WeightDifferenceListenerTest {
  private static final int INPUTS = 6;
  private static final int CLASSES = 3;

  @TempDir private Path folder;

  private static MultiLayerNetwork layers(int hidden, DataType type) {
    MultiLayerNetwork network =
        new MultiLayerNetwork(
            new NeuralNetConfiguration.Builder()
                .seed(7)
                .dataType(type)
                .updater(new Adam(0.01))
                .list()
                .layer(new DenseLayer.Builder().nOut(hidden).dropOut(0.8).build())
                .layer(
                    new OutputLayer.Builder().nOut(CLASSES).lossFunction(LossFunction.MSE).build())
                .setInputType(InputType.feedForward(INPUTS))
                .build());
    network.init();
    return network;
  }

  private static MultiLayerNetwork layers() {
    return layers(5, DataType.FLOAT);
  }

  private static ComputationGraph graph() {
    ComputationGraph network =
        new ComputationGraph(
            new NeuralNetConfiguration.Builder()
                .seed(7)
                .updater(new Adam(0.01))
                .graphBuilder()
                .addInputs("in")
                .setInputTypes(InputType.feedForward(INPUTS))
                .addLayer("hidden", new DenseLayer.Builder().nOut(5).dropOut(0.8).build(), "in")
                .addLayer("norm", new BatchNormalization.Builder().build(), "hidden")
                .addLayer(
                    "out",
                    new OutputLayer.Builder().nOut(CLASSES).lossFunction(LossFunction.MSE).build(),
                    "norm")
                .setOutputs("out")
                .build());
    network.init();
    return network;
  }

  private static DataSet examples(DataType type) {
    Nd4j.getRandom().setSeed(3);
    return new DataSet(Nd4j.rand(type, 12, INPUTS), Nd4j.rand(type, 12, CLASSES));
  }

  private static DataSetIterator batches() {
    return new org.deeplearning4j.datasets.iterator.utilty.ListDataSetIterator<>(
        examples(DataType.FLOAT).asList(), 4);
  }

  private static void add(Model model, WeightDifferenceListener listener) {
    NetworkParameters.addListener(model, listener);
  }

  private static void fit(Model model, int epochs) {
    if (model instanceof MultiLayerNetwork network) {
      network.fit(batches(), epochs);
    } else {
      ((ComputationGraph) model).fit(batches(), epochs);
    }
  }

  private static double meanSquare(INDArray now, INDArray before) {
    double[] a = now.dup('c').data().asDouble();
    double[] b = before.dup('c').data().asDouble();
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += (a[i] - b[i]) * (a[i] - b[i]);
    }
    return sum / a.length;
  }

  /** Moves the weights by hand and tells the listener of an iteration. */
  private static void move(
      MultiLayerNetwork network, WeightDifferenceListener listener, double by) {
    listener.onBackwardPass(network);
    network.getParam("0_W").addi(by);
    network.getParam("1_W").addi(2 * by);
    network.getParam("0_b").addi(100);
    listener.iterationDone(network, 0, 0);
  }

  @ParameterizedTest
  @EnumSource(DifferenceReference.class)
  void forcedUpdatesGiveTheSumComputedByHand(DifferenceReference reference) {
    MultiLayerNetwork network = layers(5, DataType.DOUBLE);
    network.params().assign(0);
    WeightDifferenceListener listener =
        WeightDifferenceListener.builder()
            .cycle(TrainingCycle.Unit.ITERATION)
            .frequency(2)
            .reference(reference)
            .build();
    for (int i = 0; i < 5; i++) {
      move(network, listener, 0.25);
    }
    WeightDifferences seen = listener.snapshot();
    assertEquals(2, seen.cycles());
    // at the ends of the cycles the first layer stands at 0.5 and 1, the second at 1 and 2
    double mean = reference == DifferenceReference.INITIAL ? (0.25 + 1) / 2 : 0.25;
    double last = reference == DifferenceReference.INITIAL ? 1 : 0.25;
    assertEquals(mean, seen.statistic("layer0"));
    assertEquals(4 * mean, seen.statistic("layer1"));
    assertEquals(last, seen.statistic("layer0", DifferenceAggregate.FINAL));
  }

  @Test
  void channelsAreTheColumnsOfADenseWeight() {
    MultiLayerNetwork network = layers();
    WeightDifferenceListener listener = iterations(1);
    listener.attachTo(network);
    INDArray weights = network.getParam("0_W");
    for (int c = 0; c < 5; c++) {
      weights.get(NDArrayIndex.all(), NDArrayIndex.point(c)).assign(c + 8);
    }
    WeightDifferenceListener fresh = iterations(1);
    fresh.onBackwardPass(network);
    for (int c = 0; c < 5; c++) {
      weights.get(NDArrayIndex.all(), NDArrayIndex.point(c)).addi(c);
    }
    fresh.iterationDone(network, 0, 0);
    assertEquals(
        List.of(0.0, 1.0, 4.0, 9.0, 16.0),
        fresh.snapshot().channelStatistics("layer0", "W", DifferenceAggregate.FINAL).asList());
  }

  private static WeightDifferenceListener iterations(int frequency) {
    return WeightDifferenceListener.builder()
        .cycle(TrainingCycle.Unit.ITERATION)
        .frequency(frequency)
        .build();
  }

  private static List<Supplier<Model>> networks() {
    return List.of(WeightDifferenceListenerTest::layers, WeightDifferenceListenerTest::graph);
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1})
  void trainingGivesTheSameBitsWithAndWithoutIt(int kind) {
    Model watched = networks().get(kind).get();
    Model plain = networks().get(kind).get();
    add(watched, iterations(1));
    Nd4j.getRandom().setSeed(11);
    fit(watched, 3);
    Nd4j.getRandom().setSeed(11);
    fit(plain, 3);
    assertEquals(plain.params(), watched.params());
    assertTrue(plain.params().sub(watched.params()).ameanNumber().doubleValue() == 0);
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1})
  void epochsAreCyclesOfFitWithAnIterator(int kind) {
    Model model = networks().get(kind).get();
    String key = kind == 0 ? "0_W" : "hidden_W";
    INDArray before = model.getParam(key).dup();
    WeightDifferenceListener listener = WeightDifferenceListener.builder().build();
    add(model, listener);
    fit(model, 3);
    WeightDifferences seen = listener.snapshot();
    assertEquals(3, seen.cycles());
    String layer = kind == 0 ? "layer0" : "hidden";
    assertEquals(
        meanSquare(model.getParam(key), before),
        seen.statistic(layer, DifferenceAggregate.FINAL),
        1e-12);
    assertEquals(2, seen.layers().size(), "batch norm has no weights");
  }

  @Test
  void fitOfADataSetIsOneCycleHoweverOftenItIsLookedAt() {
    MultiLayerNetwork network = layers();
    INDArray before = network.getParam("0_W").dup();
    WeightDifferenceListener listener = WeightDifferenceListener.builder().build();
    network.setListeners(listener);
    for (int i = 0; i < 4; i++) {
      network.fit(examples(DataType.FLOAT));
      assertEquals(1, listener.snapshot().cycles());
    }
    assertEquals(
        meanSquare(network.getParam("0_W"), before),
        listener.snapshot().statistic("layer0"),
        1e-12);
  }

  @Test
  void earlyStoppingCountsItsEpochs() {
    MultiLayerNetwork network = layers();
    WeightDifferenceListener listener = WeightDifferenceListener.builder().build();
    network.setListeners(listener);
    EarlyStoppingConfiguration<MultiLayerNetwork> stopping =
        new EarlyStoppingConfiguration.Builder<MultiLayerNetwork>()
            .epochTerminationConditions(new MaxEpochsTerminationCondition(3))
            .scoreCalculator(new DataSetLossCalculator(batches(), true))
            .modelSaver(new InMemoryModelSaver<>())
            .build();
    int epochs = new EarlyStoppingTrainer(stopping, network, batches()).fit().getTotalEpochs();
    assertEquals(epochs, listener.snapshot().cycles());
    assertTrue(listener.snapshot().statistic("layer0") > 0);
  }

  @Test
  void frozenLayersOfTransferLearningAreMarkedAndDoNotMove() {
    MultiLayerNetwork network =
        new TransferLearning.Builder(layers()).setFeatureExtractor(0).build();
    WeightDifferenceListener listener = WeightDifferenceListener.builder().build();
    network.setListeners(listener);
    network.fit(batches(), 1);
    LayerDifference first = listener.snapshot().layer("layer0");
    assertTrue(first.frozen());
    assertEquals(0, listener.snapshot().statistic("layer0"));
    assertTrue(listener.snapshot().statistic("layer1") > 0);
  }

  @Test
  void bothDirectionsOfARecurrentLayerAreWatched() {
    MultiLayerNetwork network =
        new MultiLayerNetwork(
            new NeuralNetConfiguration.Builder()
                .updater(new Adam(0.01))
                .list()
                .layer(new Bidirectional(new LSTM.Builder().nOut(4).build()))
                .layer(
                    new RnnOutputLayer.Builder()
                        .nOut(2)
                        .activation(Activation.IDENTITY)
                        .lossFunction(LossFunction.MSE)
                        .build())
                .setInputType(InputType.recurrent(3))
                .build());
    network.init();
    WeightDifferenceListener listener = WeightDifferenceListener.builder().build();
    network.setListeners(listener);
    network.fit(new DataSet(Nd4j.rand(2, 3, 5), Nd4j.rand(2, 2, 5)));
    LayerDifference layer = listener.snapshot().layers().get(0);
    assertEquals(
        List.of("fW", "fRW", "bW", "bRW"), layer.parameters().stream().map(p -> p.name()).toList());
    layer.parameters().forEach(p -> assertEquals(16, p.channels()));
    layer.parameters().forEach(p -> assertTrue(p.squares() > 0));
  }

  @ParameterizedTest
  @EnumSource(names = {"HALF", "FLOAT", "DOUBLE"})
  void largeTensorsAreReadWholeAndChannelsAddUp(DataType type) {
    MultiLayerNetwork network =
        new MultiLayerNetwork(
            new NeuralNetConfiguration.Builder()
                .dataType(type)
                .list()
                .layer(new ConvolutionLayer.Builder(3, 3).nOut(37).build())
                .layer(new DenseLayer.Builder().nOut(61).build())
                .layer(new OutputLayer.Builder().nOut(2).build())
                .setInputType(InputType.convolutional(17, 17, 2))
                .build());
    network.init();
    WeightDifferenceListener listener = iterations(1);
    listener.onBackwardPass(network);
    INDArray before = network.getParam("1_W").dup();
    network.getParam("1_W").muli(3);
    listener.iterationDone(network, 0, 0);
    WeightDifferences seen = listener.snapshot();
    double expected = meanSquare(network.getParam("1_W"), before);
    assertEquals(expected, seen.statistic("layer1"), expected * 1e-9);
    INDArray column = NDArrayIndexColumn.of(network.getParam("1_W"), 60);
    double last = meanSquare(column, NDArrayIndexColumn.of(before, 60));
    assertEquals(
        last,
        seen.channelStatistics("layer1", "W", DifferenceAggregate.FINAL).get(60),
        last * 1e-9);
    assertEquals(0, seen.statistic("layer0"));
  }

  /** A copy of one column. */
  private static final class NDArrayIndexColumn {
    static INDArray of(INDArray matrix, int column) {
      return matrix.getColumn(column).dup();
    }
  }

  @Test
  void aWeightThatIsNotANumberMakesTheStatisticInfinite() {
    MultiLayerNetwork network = layers();
    WeightDifferenceListener listener = iterations(1);
    listener.attachTo(network);
    network.getParam("0_W").putScalar(0, Double.NaN);
    listener.iterationDone(network, 0, 0);
    assertEquals(Double.POSITIVE_INFINITY, listener.snapshot().statistic("layer0"));
    assertEquals(
        List.of("layer layer0 had weights that are NaN or infinite"),
        listener.snapshot().warnings());
  }

  @Test
  void withoutTrainingThereIsNoStatistic() {
    WeightDifferenceListener listener = WeightDifferenceListener.builder().build();
    IllegalStateException unwatched = assertThrows(IllegalStateException.class, listener::snapshot);
    assertEquals(
        "no network was watched: add the listener to a network and call fit first",
        unwatched.getMessage());
    listener.attachTo(layers());
    WeightDifferences none = listener.snapshot();
    assertEquals(0, none.cycles());
    IllegalStateException zero =
        assertThrows(IllegalStateException.class, () -> none.statistic("layer0"));
    assertTrue(zero.getMessage().startsWith("no cycle of training was seen"), zero.getMessage());
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1})
  void interruptedTrainingGivesTheNumbersOfUninterrupted(int kind) throws Exception {
    for (DifferenceReference reference : DifferenceReference.values()) {
      WeightDifferences whole = trained(kind, reference, false);
      assertEquals(whole, trained(kind, reference, true));
      assertEquals(4, whole.cycles());
    }
  }

  private WeightDifferences trained(int kind, DifferenceReference reference, boolean interrupted)
      throws Exception {
    Model model = networks().get(kind).get();
    WeightDifferenceListener listener = resumable(reference);
    add(model, listener);
    Nd4j.getRandom().setSeed(5);
    fit(model, 1);
    if (interrupted) {
      File file = folder.resolve("model.zip").toFile();
      Path state = folder.resolve("model.state");
      ModelSerializer.writeModel(model, file, true);
      listener.save(state);
      model =
          kind == 0
              ? ModelSerializer.restoreMultiLayerNetwork(file)
              : ModelSerializer.restoreComputationGraph(file);
      listener = resumable(reference);
      listener.restore(state, model);
    }
    Nd4j.getRandom().setSeed(6);
    fit(model, 2);
    return listener.snapshot();
  }

  /** Three iterations an epoch: a cycle of two is under way at the end of the first. */
  private static WeightDifferenceListener resumable(DifferenceReference reference) {
    return WeightDifferenceListener.builder()
        .cycle(TrainingCycle.Unit.ITERATION)
        .frequency(2)
        .reference(reference)
        .build();
  }

  @Test
  void aSavedStateIsRefusedForAnythingElse() throws Exception {
    MultiLayerNetwork network = layers();
    WeightDifferenceListener listener = iterations(1);
    network.setListeners(listener);
    network.fit(examples(DataType.FLOAT));
    Path state = folder.resolve("state");
    listener.save(state);

    IllegalArgumentException wrong =
        assertThrows(
            IllegalArgumentException.class,
            () -> iterations(1).restore(state, layers(9, DataType.FLOAT)));
    assertTrue(wrong.getMessage().contains("layer0[W:54/9]"), wrong.getMessage());
    assertTrue(wrong.getMessage().contains("layer0[W:30/5]"), wrong.getMessage());
    assertThrows(IllegalArgumentException.class, () -> iterations(2).restore(state, network));
    IllegalArgumentException moment =
        assertThrows(IllegalArgumentException.class, () -> iterations(1).restore(state, layers()));
    assertTrue(moment.getMessage().contains("when the file was written"), moment.getMessage());

    byte[] bytes = Files.readAllBytes(state);
    bytes[bytes.length - 40] ^= 1;
    Path broken = Files.write(folder.resolve("broken"), bytes);
    InvalidStatisticsException tampered =
        assertThrows(
            InvalidStatisticsException.class, () -> iterations(1).restore(broken, network));
    assertEquals(broken + ": does not match its SHA-256", tampered.getMessage());
    for (int length : new int[] {0, 7, 14, 100, bytes.length - 1}) {
      Files.write(broken, java.util.Arrays.copyOf(bytes, length));
      InvalidStatisticsException cut =
          assertThrows(
              InvalidStatisticsException.class, () -> iterations(1).restore(broken, network));
      assertTrue(cut.getMessage().startsWith(broken + ": "), cut.getMessage());
    }
  }

  @Test
  void othersThanTheWatchedNetworkAreIgnoredUntilItIsMoved() {
    MultiLayerNetwork network = layers();
    MultiLayerNetwork replica = network.clone();
    WeightDifferenceListener listener = iterations(1);
    listener.attachTo(network);
    move(replica, listener, 1);
    assertEquals(0, listener.snapshot().cycles());
    listener.attachTo(replica);
    move(replica, listener, 1);
    assertEquals(4, listener.snapshot().statistic("layer0"), 1e-6);
    assertThrows(
        IllegalArgumentException.class, () -> listener.attachTo(layers(9, DataType.FLOAT)));
  }
}
