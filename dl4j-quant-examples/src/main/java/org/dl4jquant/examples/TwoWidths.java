package org.dl4jquant.examples;

import java.util.List;
import java.util.function.ToDoubleFunction;
import org.deeplearning4j.nn.api.Model;
import org.dl4jquant.Quantization;
import org.dl4jquant.dl4j.Dl4jLayer;
import org.dl4jquant.dl4j.Dl4jNetwork;
import org.dl4jquant.precision.LayerPrecision;
import org.dl4jquant.precision.OutputClassPolicy;
import org.dl4jquant.precision.PrecisionPlan;

/**
 * Evaluates many plans that give each layer one of two widths: quantizes each layer once per width
 * and copies the numbers into one network. What it evaluates is what {@link
 * Quantization#evaluating} would without the bounds of {@link OutputClassPolicy}. Not thread-safe.
 */
final class TwoWidths implements ToDoubleFunction<PrecisionPlan> {
  private final int lowBits;
  private final List<Dl4jLayer> first;
  private final List<Dl4jLayer> low;
  private final Dl4jNetwork candidate;
  private final ToDoubleFunction<Model> metric;

  TwoWidths(Quantization quantization, int lowBits, ToDoubleFunction<Model> metric) {
    this.lowBits = lowBits;
    this.first = quantization.convert().network().layers();
    this.low =
        quantization
            .outputClasses(OutputClassPolicy.NONE)
            .convert(PrecisionPlan.uniform(LayerPrecision.weights(lowBits)))
            .network()
            .layers();
    this.candidate = quantization.convert().network();
    this.metric = metric;
  }

  @Override
  public double applyAsDouble(PrecisionPlan plan) {
    List<Dl4jLayer> layers = candidate.layers();
    for (int i = 0; i < layers.size(); i++) {
      boolean isLow = plan.of(layers.get(i).name()).weightBits() == lowBits;
      Dl4jLayer source = (isLow ? low : first).get(i);
      for (int p = 0; p < source.parameters().size(); p++) {
        layers.get(i).parameters().get(p).value().assign(source.parameters().get(p).value());
      }
    }
    return metric.applyAsDouble(candidate.model());
  }
}
