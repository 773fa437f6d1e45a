package org.dl4jquant.examples;

import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableMap;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.LongFunction;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.Quantization;
import org.dl4jquant.dl4j.Dl4jLayer;
import org.dl4jquant.dl4j.Dl4jNetwork;
import org.dl4jquant.dl4j.Dl4jParameter;
import org.dl4jquant.examples.ScoreTable.Correlation;
import org.dl4jquant.listeners.ResidualGradientListener;
import org.dl4jquant.listeners.WeightDifferenceListener;
import org.dl4jquant.precision.LayerDescription;
import org.dl4jquant.precision.LayerPrecision;
import org.dl4jquant.precision.LayerStatistic;
import org.dl4jquant.precision.OutputClassPolicy;
import org.dl4jquant.precision.PrecisionPlan;
import org.dl4jquant.precision.SensitivitySearch;
import org.dl4jquant.stats.Spearman;
import org.dl4jquant.terminal.Progress;
import org.dl4jquant.update.UpdateStatistics;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Which number that training or weights give for nothing tells what few bits cost a layer: for each
 * score, Spearman's correlation over the layers of a network with the growth of the loss that is
 * measured when the weights of one layer alone are rounded, on the validation split.
 *
 * <p>All scores are such that a low one is to mean a layer that tolerates few bits. Trained
 * networks are not kept: the study takes a few minutes with {@code OMP_NUM_THREADS=1}.
 */
public final class ScoreStudy {
  static final ImmutableList<TrainingSubject> SUBJECTS =
      ImmutableList.of(
          new TrainingSubject(
              "digits deep MLP",
              seed -> Networks.deepMlp(64, Digits.CLASSES, seed),
              Digits::vectors,
              24,
              6),
          digits("plain CNN", seed -> Networks.plainCnn(8, Digits.CLASSES, seed), 12),
          digits("batch-norm CNN", seed -> Networks.batchNormCnn(8, Digits.CLASSES, seed), 12),
          new TrainingSubject(
              "Fashion deep MLP",
              seed -> Networks.deepMlp(784, FashionMini.CLASSES, seed),
              seed -> small(FashionMini.vectors(seed)),
              12,
              3),
          digits("residual graph", seed -> Networks.residual(8, Digits.CLASSES, seed), 6));

  private static final ImmutableList<Long> SEEDS = ImmutableList.of(42L, 43L, 44L);
  private static final ImmutableList<Integer> LOW_BITS = ImmutableList.of(4, 3, 2);
  private static final int BATCH = 32;
  private static final int GRADIENT_BATCH = 16;
  private static final int GRADIENTS = 60;
  private static final int SMALL = 1000;
  private static final int SMALL_VALIDATION = 400;

  private ScoreStudy() {}

  private static TrainingSubject digits(String name, LongFunction<Model> network, int epochs) {
    return new TrainingSubject("digits " + name, network, Digits::images, epochs, epochs / 4);
  }

  private static Split small(Split all) {
    return new Split(
        Split.first(all.train(), SMALL),
        Split.first(all.validation(), SMALL_VALIDATION),
        all.test());
  }

  /**
   * Runs the study; the argument, if there is one, is the file to write to, with what is known
   * after each kind of network.
   */
  public static void main(String[] arguments) throws IOException {
    ImmutableList.Builder<Correlation> known = ImmutableList.builder();
    for (TrainingSubject subject : SUBJECTS) {
      known.addAll(run(List.of(subject), SEEDS, LOW_BITS).correlations());
      String table = new ScoreTable(known.build()).markdown();
      System.out.print(table);
      if (arguments.length > 0) {
        Files.writeString(Path.of(arguments[0]), table);
      }
    }
  }

  /** Trains every subject with every seed and correlates all scores at each width. */
  static ScoreTable run(List<TrainingSubject> subjects, List<Long> seeds, List<Integer> lowBits) {
    ImmutableList.Builder<Correlation> correlations = ImmutableList.builder();
    try (Progress progress = Progress.start("study", (long) subjects.size() * seeds.size())) {
      for (TrainingSubject subject : subjects) {
        for (long seed : seeds) {
          correlations.addAll(correlations(subject, seed, lowBits));
          progress.step(subject.name());
        }
      }
    }
    return new ScoreTable(correlations.build());
  }

  private static List<Correlation> correlations(
      TrainingSubject subject, long seed, List<Integer> widths) {
    Split data = subject.data().apply(seed);
    Model network = subject.network().apply(seed);
    WeightDifferenceListener fromInitial = WeightDifferenceListener.builder().build();
    fromInitial.attachTo(network);
    train(network, data.train(), subject.epochs(), seed);
    WeightDifferenceListener fromTrained = WeightDifferenceListener.builder().build();
    fromTrained.attachTo(network);
    train(network, data.train(), subject.more(), seed + subject.epochs());
    Quantization quantization =
        Quantization.of(network).outputClasses(OutputClassPolicy.NONE).weightBits(8);
    ImmutableList.Builder<Correlation> correlations = ImmutableList.builder();
    for (int bits : widths) {
      Map<String, Map<String, Double>> scores = new LinkedHashMap<>();
      differences(scores, "difference to the start", quantization, fromInitial, bits);
      differences(scores, "difference to the trained", quantization, fromTrained, bits);
      carried(scores, network, data.train(), seed, bits);
      errors(scores, network, quantization.weightBits(bits), data.train(), seed);
      random(scores, quantization.layers(), seed);
      SensitivitySearch measured =
          SensitivitySearch.measure(
              quantization.layers(),
              PrecisionPlan.uniform(LayerPrecision.FLOAT),
              bits,
              quantization.evaluating(
                  m -> FineTuningStudy.loss(Dl4jNetwork.of(m), data.validation())));
      double[] growth =
          measured.layers().stream().mapToDouble(own -> measured.increase(own.name())).toArray();
      scores.forEach(
          (name, byLayer) -> {
            double[] values =
                measured.layers().stream().mapToDouble(own -> byLayer.get(own.name())).toArray();
            correlations.add(
                new Correlation(
                    subject.name(),
                    growth.length,
                    seed,
                    bits,
                    name,
                    Spearman.correlation(values, growth)));
          });
    }
    return correlations.build();
  }

  private static void train(Model network, DataSet data, int epochs, long seed) {
    for (int epoch = 0; epoch < epochs; epoch++) {
      fit(network, Split.shuffledBatches(data, BATCH, seed + epoch));
    }
  }

  private static void fit(Model network, DataSetIterator batches) {
    if (network instanceof ComputationGraph graph) {
      graph.fit(batches);
    } else {
      ((MultiLayerNetwork) network).fit(batches);
    }
  }

  private static void differences(
      Map<String, Map<String, Double>> scores,
      String name,
      Quantization quantization,
      WeightDifferenceListener listener,
      int bits) {
    List<LayerStatistic> raw = LayerStatistic.of(listener.snapshot());
    scores.put(name, byLayer(raw));
    scores.put(name + ", normalized", byLayer(quantization.normalized(raw, bits)));
  }

  private static Map<String, Double> byLayer(List<LayerStatistic> statistics) {
    return statistics.stream()
        .collect(ImmutableMap.toImmutableMap(LayerStatistic::layer, LayerStatistic::value));
  }

  /** What one epoch on weights of few bits, with residuals (method D), tells. */
  private static void carried(
      Map<String, Map<String, Double>> scores, Model network, DataSet data, long seed, int bits) {
    Model copy = Dl4jNetwork.of(network).copy().model();
    ResidualGradientListener listener =
        ResidualGradientListener.builder().bitWidth(bits).headroomBits(0).build();
    listener.attachTo(copy);
    fit(copy, Split.shuffledBatches(data, BATCH, seed + 100));
    Map<String, UpdateStatistics> byLayer = new LinkedHashMap<>();
    listener
        .statistics()
        .forEach(
            (parameter, own) ->
                byLayer.merge(
                    parameter.substring(0, parameter.lastIndexOf('.')),
                    own,
                    UpdateStatistics::and));
    Map<String, Double> live = new LinkedHashMap<>();
    Map<String, Double> residual = new LinkedHashMap<>();
    byLayer.forEach(
        (layer, own) -> {
          live.put(layer, 1 - own.deadZoneShare());
          residual.put(layer, own.residualNorm());
        });
    scores.put("updates outside the dead zone", live);
    scores.put("norm of the residuals", residual);
  }

  /** What the errors of rounding themselves tell, alone and with the gradient. */
  private static void errors(
      Map<String, Map<String, Double>> scores,
      Model network,
      Quantization low,
      DataSet data,
      long seed) {
    Dl4jNetwork floats = Dl4jNetwork.of(network).copy();
    Dl4jNetwork rounded = low.convert().plainNetwork();
    Map<String, Double> mean = new LinkedHashMap<>();
    Map<String, Double> total = new LinkedHashMap<>();
    Map<String, Double> range = new LinkedHashMap<>();
    Map<String, INDArray> changes = new LinkedHashMap<>();
    for (int i = 0; i < floats.layers().size(); i++) {
      Dl4jLayer layer = floats.layers().get(i);
      if (layer.weightCount() == 0) {
        continue;
      }
      INDArray before = floats.parameters().dup();
      double largest = 0;
      for (int p = 0; p < layer.parameters().size(); p++) {
        Dl4jParameter own = layer.parameters().get(p);
        if (own.isWeight()) {
          largest = Math.max(largest, own.value().amaxNumber().doubleValue());
          own.value().assign(rounded.layers().get(i).parameters().get(p).value());
        }
      }
      INDArray change = floats.parameters().sub(before);
      floats.parameters().assign(before);
      changes.put(layer.name(), change);
      double squares = change.norm2Number().doubleValue();
      total.put(layer.name(), squares * squares);
      mean.put(layer.name(), squares * squares / layer.weightCount());
      range.put(layer.name(), largest);
    }
    scores.put("mean squared error of the weights", mean);
    scores.put("sum of the squared errors", total);
    scores.put("largest weight", range);
    scores.put("E[(g·δ)²]", fisher(floats.model(), changes, data, seed));
  }

  /** Returns the mean square of what each change does to the loss of a batch, to first order. */
  private static Map<String, Double> fisher(
      Model network, Map<String, INDArray> changes, DataSet data, long seed) {
    Map<String, Double> sums = new LinkedHashMap<>();
    DataSetIterator batches = Split.shuffledBatches(data, GRADIENT_BATCH, seed);
    for (int i = 0; i < GRADIENTS && batches.hasNext(); i++) {
      INDArray gradient = gradient(network, batches.next());
      changes.forEach(
          (layer, change) -> {
            double first = Nd4j.getBlasWrapper().dot(gradient.ravel(), change.ravel());
            sums.merge(layer, first * first / GRADIENTS, Double::sum);
          });
    }
    return sums;
  }

  private static INDArray gradient(Model network, DataSet batch) {
    if (network instanceof ComputationGraph graph) {
      graph.setInputs(batch.getFeatures());
      graph.setLabels(batch.getLabels());
      graph.computeGradientAndScore();
      return graph.gradient().gradient().div(batch.numExamples());
    }
    MultiLayerNetwork layers = (MultiLayerNetwork) network;
    layers.setInput(batch.getFeatures());
    layers.setLabels(batch.getLabels());
    layers.computeGradientAndScore();
    return layers.gradient().gradient().div(batch.numExamples());
  }

  private static void random(
      Map<String, Map<String, Double>> scores, List<LayerDescription> layers, long seed) {
    Random random = new Random(seed);
    Map<String, Double> values = new LinkedHashMap<>();
    layers.forEach(layer -> values.put(layer.name(), random.nextDouble()));
    scores.put("random", values);
  }
}
