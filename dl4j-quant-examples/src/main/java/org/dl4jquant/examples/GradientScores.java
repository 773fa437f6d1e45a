package org.dl4jquant.examples;

import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.function.ToDoubleBiFunction;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.dl4j.Dl4jLayer;
import org.dl4jquant.dl4j.Dl4jNetwork;
import org.dl4jquant.dl4j.Dl4jParameter;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;
import org.nd4j.linalg.factory.Nd4j;

/**
 * What gradients g of a few batches tell of the changes δ of the weights that rounding makes. A
 * gradient is that of a batch's mean loss.
 */
final class GradientScores {
  private final ImmutableList<INDArray> gradients;
  private final INDArray meanSquares;
  private final ImmutableMap<String, Double> meanSquareOfLayers;

  /**
   * Takes the gradients of a network, whose weights stay as they are.
   *
   * @param most batches to take
   */
  GradientScores(Dl4jNetwork network, DataSetIterator batches, int most) {
    Dl4jNetwork copy = network.copy();
    ImmutableList.Builder<INDArray> taken = ImmutableList.builder();
    for (int i = 0; i < most && batches.hasNext(); i++) {
      taken.add(gradient(copy.model(), batches.next()));
    }
    gradients = taken.build();
    meanSquares = Nd4j.zeros(gradients.get(0).dataType(), gradients.get(0).length());
    gradients.forEach(gradient -> meanSquares.addi(gradient.mul(gradient)));
    meanSquares.divi(gradients.size());
    copy.parameters().assign(meanSquares.reshape(copy.parameters().shape()));
    ImmutableMap.Builder<String, Double> means = ImmutableMap.builder();
    for (Dl4jLayer layer : copy.layers()) {
      double sum =
          layer.parameters().stream()
              .filter(Dl4jParameter::isWeight)
              .mapToDouble(own -> own.value().sumNumber().doubleValue())
              .sum();
      means.put(layer.name(), sum / Math.max(1, layer.weightCount()));
    }
    meanSquareOfLayers = means.buildOrThrow();
  }

  private static INDArray gradient(Model network, DataSet batch) {
    INDArray sum;
    if (network instanceof ComputationGraph graph) {
      graph.setInputs(batch.getFeatures());
      graph.setLabels(batch.getLabels());
      graph.computeGradientAndScore();
      sum = graph.gradient().gradient();
    } else {
      MultiLayerNetwork layers = (MultiLayerNetwork) network;
      layers.setInput(batch.getFeatures());
      layers.setLabels(batch.getLabels());
      layers.computeGradientAndScore();
      sum = layers.gradient().gradient();
    }
    return sum.div(batch.numExamples()).ravel();
  }

  /**
   * Puts the scores of the changes.
   *
   * @param changes of all parameters of the network if one layer alone is rounded, by the layer
   */
  void put(Map<String, Map<String, Double>> scores, Map<String, INDArray> changes) {
    put(scores, "E[g²]", changes, (layer, change) -> meanSquare(layer));
    put(scores, "abs E[g·δ]", changes, (layer, change) -> Math.abs(mean(change, 1)));
    put(scores, "E[(g·δ)²]", changes, (layer, change) -> mean(change, 2));
    put(scores, "Σ E[g²]·δ²", changes, (layer, change) -> dot(meanSquares, change.mul(change)));
    put(
        scores,
        "FIT: E[g²]·Σ δ²",
        changes,
        (layer, change) -> meanSquare(layer) * dot(change, change));
  }

  private static void put(
      Map<String, Map<String, Double>> scores,
      String name,
      Map<String, INDArray> changes,
      ToDoubleBiFunction<String, INDArray> score) {
    Map<String, Double> values = new LinkedHashMap<>();
    changes.forEach(
        (layer, change) -> values.put(layer, score.applyAsDouble(layer, change.ravel())));
    scores.put(name, values);
  }

  private double meanSquare(String layer) {
    return Objects.requireNonNull(meanSquareOfLayers.get(layer));
  }

  /** Returns the mean over the batches of what a change does to the loss, to a power. */
  private double mean(INDArray change, int power) {
    return gradients.stream()
        .mapToDouble(gradient -> Math.pow(dot(gradient, change), power))
        .average()
        .orElse(0);
  }

  private static double dot(INDArray one, INDArray other) {
    return Nd4j.getBlasWrapper().dot(one, other);
  }
}
