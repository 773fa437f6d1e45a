package org.dl4jquant.examples;

import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableMap;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.Quantization;
import org.dl4jquant.examples.BudgetWalk.Reach;
import org.dl4jquant.examples.OrderTable.Row;
import org.dl4jquant.examples.OrderTable.Setting;
import org.dl4jquant.listeners.WeightDifferenceListener;
import org.dl4jquant.precision.LayerRanking;
import org.dl4jquant.precision.LayerRanking.Order;
import org.dl4jquant.precision.LayerStatistic;
import org.dl4jquant.terminal.Progress;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;

/**
 * Checks method B's claim on trained networks: layers taken in ascending order of the weight
 * difference keep within an accuracy budget for longer than in descending or random order.
 *
 * <p>The difference is measured against the initial weights, and, as the publication has it,
 * against those of a network that was trained before and is trained on; both as they are and in
 * units of quantization noise. Each of five seeds splits the digits, initializes and trains anew;
 * what the table gives is the mean and the standard deviation over them, on the validation split.
 *
 * <p>On a busy machine, {@code OMP_NUM_THREADS=1} makes it several times faster.
 */
public final class MethodBStudy {
  static final ImmutableList<TrainingSubject> SUBJECTS =
      ImmutableList.of(
          new TrainingSubject(
              "plain CNN",
              seed -> Networks.plainCnn(8, Digits.CLASSES, seed),
              Digits::images,
              12,
              3),
          new TrainingSubject(
              "batch-norm CNN",
              seed -> Networks.batchNormCnn(8, Digits.CLASSES, seed),
              Digits::images,
              12,
              3),
          new TrainingSubject(
              "deep MLP",
              seed -> Networks.deepMlp(64, Digits.CLASSES, seed),
              Digits::vectors,
              24,
              6),
          new TrainingSubject(
              "residual graph",
              seed -> Networks.residual(8, Digits.CLASSES, seed),
              Digits::images,
              12,
              3));

  private static final ImmutableList<Long> SEEDS = ImmutableList.of(42L, 43L, 44L, 45L, 46L);
  private static final ImmutableList<Integer> LOW_BITS = ImmutableList.of(5, 4, 3);
  private static final int FIRST_BITS = 8;
  private static final double MAX_DROP = 0.01;
  private static final int RANDOM_ORDERS = 20;
  private static final int BATCH = 64;

  private MethodBStudy() {}

  /** Runs the study; the argument, if there is one, is the file to write to. */
  public static void main(String[] arguments) throws IOException {
    OrderTable table = run(SUBJECTS, SEEDS);
    System.out.print(table.markdown());
    if (arguments.length > 0) {
      Files.writeString(Path.of(arguments[0]), table.markdown());
    }
  }

  /** Trains every subject with every seed and compares the orders at each low width. */
  static OrderTable run(List<TrainingSubject> subjects, List<Long> seeds) {
    ImmutableList.Builder<Row> rows = ImmutableList.builder();
    try (Progress progress = Progress.start("study", (long) subjects.size() * seeds.size())) {
      for (TrainingSubject subject : subjects) {
        for (long seed : seeds) {
          rows.addAll(rows(subject, seed));
          progress.step(subject.name());
        }
      }
    }
    return new OrderTable(rows.build());
  }

  private static List<Row> rows(TrainingSubject subject, long seed) {
    Split data = subject.data().apply(seed);
    Model network = subject.network().apply(seed);
    WeightDifferenceListener fromInitial = WeightDifferenceListener.builder().build();
    fromInitial.attachTo(network);
    train(network, data.train(), subject.epochs(), seed);
    WeightDifferenceListener fromTrained = WeightDifferenceListener.builder().build();
    fromTrained.attachTo(network);
    train(network, data.train(), subject.more(), seed + subject.epochs());
    Quantization quantization = Quantization.of(network).weightBits(FIRST_BITS);
    double floatAccuracy = accuracy(network, data.validation());

    List<Row> rows = new ArrayList<>();
    for (int lowBits : LOW_BITS) {
      BudgetWalk walk =
          new BudgetWalk(
              quantization.layers(),
              quantization.plan(),
              lowBits,
              MAX_DROP,
              new TwoWidths(quantization, lowBits, m -> accuracy(m, data.validation())));
      List<LayerStatistic> initial = LayerStatistic.of(fromInitial.snapshot());
      List<LayerStatistic> trained = LayerStatistic.of(fromTrained.snapshot());
      ImmutableMap.of(
              "initial",
              initial,
              "initial, normalized",
              quantization.normalized(initial, lowBits),
              "trained",
              trained,
              "trained, normalized",
              quantization.normalized(trained, lowBits))
          .forEach(
              (name, statistics) ->
                  rows.add(
                      new Row(
                          new Setting(subject.name(), lowBits, name),
                          statistics.size(),
                          floatAccuracy,
                          along(walk, statistics, Order.ascending()),
                          along(walk, statistics, Order.descending()),
                          randomMean(walk, statistics, seed))));
    }
    return rows;
  }

  private static void train(Model network, DataSet data, int epochs, long seed) {
    for (int epoch = 0; epoch < epochs; epoch++) {
      DataSetIterator batches = Split.shuffledBatches(data, BATCH, seed + epoch);
      if (network instanceof ComputationGraph graph) {
        graph.fit(batches);
      } else {
        ((MultiLayerNetwork) network).fit(batches);
      }
    }
  }

  private static Reach along(BudgetWalk walk, List<LayerStatistic> statistics, Order order) {
    return walk.along(LayerRanking.PUBLISHED.withOrder(order).rank(statistics, Set.of()));
  }

  private static Reach randomMean(BudgetWalk walk, List<LayerStatistic> statistics, long seed) {
    List<Reach> reaches =
        IntStream.range(0, RANDOM_ORDERS)
            .mapToObj(i -> along(walk, statistics, Order.random(seed * RANDOM_ORDERS + i)))
            .toList();
    return new Reach(
        reaches.stream().mapToDouble(Reach::layers).average().orElseThrow(),
        reaches.stream().mapToDouble(Reach::share).average().orElseThrow());
  }

  private static double accuracy(Model network, DataSet data) {
    INDArray output =
        network instanceof ComputationGraph graph
            ? graph.outputSingle(data.getFeatures())
            : ((MultiLayerNetwork) network).output(data.getFeatures());
    INDArray right = output.argMax(1).eq(data.getLabels().argMax(1));
    return (double) right.castTo(DataType.INT64).sumNumber().longValue() / data.numExamples();
  }
}
