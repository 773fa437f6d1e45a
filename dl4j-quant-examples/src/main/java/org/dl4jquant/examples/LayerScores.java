package org.dl4jquant.examples;

import com.google.common.collect.ImmutableMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.ToDoubleFunction;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.Quantization;
import org.dl4jquant.dl4j.Dl4jLayer;
import org.dl4jquant.dl4j.Dl4jNetwork;
import org.dl4jquant.dl4j.Dl4jParameter;
import org.dl4jquant.listeners.ResidualGradientListener;
import org.dl4jquant.listeners.WeightDifferenceListener;
import org.dl4jquant.precision.LayerStatistic;
import org.dl4jquant.precision.OutputClassPolicy;
import org.dl4jquant.update.UpdateStatistics;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;

/**
 * All that is to tell what few bits cost a layer of one trained network; a low score is to mean a
 * layer that tolerates them.
 */
final class LayerScores {
  /** Half a step of codes of so many bits is about the updates of Adam at its usual rate. */
  static final int FINE_BITS = 10;

  private static final int BATCH = 32;
  private static final int GRADIENT_BATCH = 16;
  private static final int GRADIENTS = 60;

  private final Model network;
  private final Quantization quantization;
  private final WeightDifferenceListener fromInitial = WeightDifferenceListener.builder().build();
  private final WeightDifferenceListener fromTrained = WeightDifferenceListener.builder().build();
  private final DataSet train;
  private final long seed;
  private final GradientScores gradients;
  private final Map<String, UpdateStatistics> fine;

  /** Trains a network of the subject. */
  LayerScores(TrainingSubject subject, DataSet train, long seed) {
    this.train = train;
    this.seed = seed;
    network = subject.network().apply(seed);
    fromInitial.attachTo(network);
    fit(subject.epochs(), seed);
    fromTrained.attachTo(network);
    fit(subject.more(), seed + subject.epochs());
    quantization = Quantization.of(network).outputClasses(OutputClassPolicy.NONE).weightBits(8);
    gradients =
        new GradientScores(
            Dl4jNetwork.of(network), Split.shuffledBatches(train, GRADIENT_BATCH, seed), GRADIENTS);
    fine = carried(FINE_BITS);
  }

  /** Returns the quantization of the trained network, without bounds for heads. */
  Quantization quantization() {
    return quantization;
  }

  /** Returns the scores at a width, by name and layer. */
  Map<String, Map<String, Double>> at(int bits) {
    Map<String, Map<String, Double>> scores = new LinkedHashMap<>();
    differences(scores, "difference to the start", fromInitial, bits);
    differences(scores, "difference to the trained", fromTrained, bits);
    Map<String, UpdateStatistics> coarse = carried(bits);
    scores.put("updates of half a step or more", each(coarse, s -> 1 - s.deadZoneShare()));
    scores.put(
        "updates of half a step of " + FINE_BITS + " bits or more",
        each(fine, s -> 1 - s.deadZoneShare()));
    scores.put("moves of codes", each(coarse, UpdateStatistics::movedShare));
    scores.put("norm of the residuals", each(coarse, UpdateStatistics::residualNorm));
    gradients.put(scores, errors(scores, quantization.weightBits(bits)));
    Random random = new Random(seed);
    Map<String, Double> shuffled = new LinkedHashMap<>();
    quantization.layers().forEach(layer -> shuffled.put(layer.name(), random.nextDouble()));
    scores.put("random", shuffled);
    return scores;
  }

  private void fit(int epochs, long firstSeed) {
    for (int epoch = 0; epoch < epochs; epoch++) {
      fit(network, Split.shuffledBatches(train, BATCH, firstSeed + epoch));
    }
  }

  private static void fit(Model network, DataSetIterator batches) {
    if (network instanceof ComputationGraph graph) {
      graph.fit(batches);
    } else {
      ((MultiLayerNetwork) network).fit(batches);
    }
  }

  private void differences(
      Map<String, Map<String, Double>> scores,
      String name,
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

  private static Map<String, Double> each(
      Map<String, UpdateStatistics> statistics, ToDoubleFunction<UpdateStatistics> value) {
    Map<String, Double> values = new LinkedHashMap<>();
    statistics.forEach((layer, own) -> values.put(layer, value.applyAsDouble(own)));
    return values;
  }

  /** Returns what one more epoch on weights of few bits, with residuals (method D), does. */
  private Map<String, UpdateStatistics> carried(int bits) {
    Model copy = copyWithUpdater();
    ResidualGradientListener listener =
        ResidualGradientListener.builder().bitWidth(bits).headroomBits(0).build();
    listener.attachTo(copy);
    fit(copy, Split.shuffledBatches(train, BATCH, seed + 100));
    Map<String, UpdateStatistics> byLayer = new LinkedHashMap<>();
    listener
        .statistics()
        .forEach(
            (parameter, own) ->
                byLayer.merge(
                    parameter.substring(0, parameter.lastIndexOf('.')),
                    own,
                    UpdateStatistics::and));
    return byLayer;
  }

  /** Returns a copy whose updater goes on where that of the network is. */
  private Model copyWithUpdater() {
    Model copy = Dl4jNetwork.of(network).copy().model();
    if (copy instanceof ComputationGraph graph) {
      graph
          .getUpdater(true)
          .setStateViewArray(
              ((ComputationGraph) network).getUpdater(true).getStateViewArray().dup());
    } else {
      MultiLayerNetwork layers = (MultiLayerNetwork) copy;
      layers
          .getUpdater(true)
          .setStateViewArray(
              layers,
              ((MultiLayerNetwork) network).getUpdater(true).getStateViewArray().dup(),
              false);
    }
    return copy;
  }

  /** Puts what the errors of rounding tell alone, and returns them by layer. */
  private Map<String, INDArray> errors(Map<String, Map<String, Double>> scores, Quantization low) {
    Dl4jNetwork floats = Dl4jNetwork.of(network).copy();
    Dl4jNetwork rounded = low.convert().plainNetwork();
    Map<String, Double> mean = new LinkedHashMap<>();
    Map<String, Double> total = new LinkedHashMap<>();
    Map<String, Double> range = new LinkedHashMap<>();
    Map<String, INDArray> changes = new LinkedHashMap<>();
    INDArray before = floats.parameters().dup();
    for (int i = 0; i < floats.layers().size(); i++) {
      Dl4jLayer layer = floats.layers().get(i);
      if (layer.weightCount() == 0) {
        continue;
      }
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
      double norm = change.norm2Number().doubleValue();
      total.put(layer.name(), norm * norm);
      mean.put(layer.name(), norm * norm / layer.weightCount());
      range.put(layer.name(), largest);
    }
    scores.put("mean squared error of the weights", mean);
    scores.put("sum of the squared errors", total);
    scores.put("largest weight", range);
    return changes;
  }
}
