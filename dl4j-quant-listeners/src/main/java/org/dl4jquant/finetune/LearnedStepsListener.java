package org.dl4jquant.finetune;

import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.optimize.api.BaseTrainingListener;
import org.dl4jquant.format.FixedPointFormat;
import org.dl4jquant.internal.Checks;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Learns the steps of weights with the weights (LSQ, Esser et al. 2020), from the gradient that
 * DL4J has for the quantized weights, before its updater changes it. Each step follows Adam's rule
 * in units of the step that it started from. Not thread-safe.
 */
final class LearnedStepsListener extends BaseTrainingListener {
  private static final double FIRST_DECAY = 0.9;
  private static final double SECOND_DECAY = 0.999;
  private static final double EPSILON = 1e-8;

  /** How small a step may become, of what it was. */
  private static final double SMALLEST = 1.0 / 16;

  private final double learningRate;
  private final Map<String, Learned> parameters = new TreeMap<>();
  private int iterations;

  LearnedStepsListener(double learningRate) {
    this.learningRate = learningRate;
  }

  /** The steps of one parameter and what Adam remembers of them. */
  private static final class Learned {
    private final String layer;
    private final String key;
    private final FixedPointFormat format;
    private final double[] start;
    private final double[] first;
    private final double[] second;
    private StepGrid grid;

    Learned(String layer, String key, FixedPointFormat format, StepGrid grid) {
      this.layer = layer;
      this.key = key;
      this.format = format;
      this.grid = grid;
      start = grid.steps();
      first = new double[start.length];
      second = new double[start.length];
    }

    void step(double[] gradients, double learningRate, int iteration) {
      double[] steps = grid.steps();
      for (int c = 0; c < steps.length; c++) {
        first[c] = FIRST_DECAY * first[c] + (1 - FIRST_DECAY) * gradients[c];
        second[c] = SECOND_DECAY * second[c] + (1 - SECOND_DECAY) * gradients[c] * gradients[c];
        double mean = first[c] / (1 - Math.pow(FIRST_DECAY, iteration));
        double root = Math.sqrt(second[c] / (1 - Math.pow(SECOND_DECAY, iteration)));
        double next = steps[c] - learningRate * start[c] * mean / (root + EPSILON);
        steps[c] = Double.isFinite(next) ? Math.max(next, start[c] * SMALLEST) : steps[c];
      }
      grid = grid.withSteps(steps);
    }
  }

  /**
   * Learns the steps of one parameter.
   *
   * @param name of the parameter in the model, {@code layer/key}
   * @param layer its name in the network that is trained
   * @param format of its codes, of whatever fractional length
   */
  void learn(String name, String layer, String key, FixedPointFormat format, StepGrid grid) {
    parameters.put(name, new Learned(layer, key, format, grid));
  }

  /** Lets the layers of the network compute with the steps as they are now. */
  void place(Model network) {
    parameters
        .values()
        .forEach(own -> FakeQuantizedWeights.replace(network, own.layer, own.key, own.grid));
  }

  /** Learns nothing more. */
  void stop() {
    parameters.clear();
  }

  /** Returns the formats whose steps are the powers of two nearest to the learned ones, by name. */
  Map<String, FixedPointFormat[]> snapped() {
    Map<String, FixedPointFormat[]> formats = new TreeMap<>();
    parameters.forEach((name, own) -> formats.put(name, own.grid.snapped(own.format)));
    return formats;
  }

  /** Returns the steps as they are now, by the name of the parameter. */
  Map<String, double[]> steps() {
    Map<String, double[]> steps = new TreeMap<>();
    parameters.forEach((name, own) -> steps.put(name, own.grid.steps()));
    return steps;
  }

  @Override
  public void onGradientCalculation(Model model) {
    if (parameters.isEmpty()) {
      return;
    }
    Map<String, INDArray> gradients = model.gradient().gradientForVariable();
    iterations++;
    for (Learned own : parameters.values()) {
      String name = own.layer;
      if (model instanceof MultiLayerNetwork layers) {
        name = String.valueOf(layers.getLayerNames().indexOf(own.layer));
      }
      String full = name + "_" + own.key;
      INDArray gradient =
          Optional.ofNullable(gradients.get(full))
              .orElseThrow(
                  () -> Checks.violated("gradient", "be known of " + full, gradients.keySet()));
      INDArray weights = model.getParam(full);
      double[] values = weights.dup('c').data().asDouble();
      double[] changes = gradient.dup('c').data().asDouble();
      int[] shape = Arrays.stream(weights.shape()).mapToInt(Math::toIntExact).toArray();
      double[] found = own.grid.gradient(values, changes, shape);
      gradient.assign(Nd4j.create(changes, gradient.shape(), 'c').castTo(gradient.dataType()));
      own.step(found, learningRate, iterations);
      FakeQuantizedWeights.replace(model, own.layer, own.key, own.grid);
    }
  }

  @Override
  public String toString() {
    return "LearnedStepsListener" + parameters.keySet();
  }
}
