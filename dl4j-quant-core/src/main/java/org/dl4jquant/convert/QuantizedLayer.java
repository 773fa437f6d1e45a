package org.dl4jquant.convert;

import com.google.common.collect.ImmutableList;
import java.util.Optional;
import org.dl4jquant.dl4j.ParameterRole;
import org.dl4jquant.format.NumberFormat;
import org.dl4jquant.tensor.QuantizedTensor;

/**
 * One layer of a quantized model.
 *
 * @param name DL4J's name
 * @param kind the simple name of DL4J's configuration class, wrappers removed
 * @param parameters in DL4J's order; empty if it has none
 */
public record QuantizedLayer(
    String name, String kind, ImmutableList<QuantizedParameter> parameters) {
  /** The bit width that reports give for floats. */
  public static final int FLOAT_BITS = 32;

  /** Returns the bits of the layer's weights; 32 if they stay float or there are none. */
  public int weightBits() {
    return parameters.stream()
        .filter(parameter -> parameter.role() == ParameterRole.WEIGHT)
        .filter(parameter -> parameter.codes().isPresent())
        .mapToInt(QuantizedParameter::bitWidth)
        .findFirst()
        .orElse(FLOAT_BITS);
  }

  /** Returns the squared step of the codes, averaged over the weights; 0 if they stay float. */
  public double meanSquareStep() {
    double sum = 0;
    long weights = 0;
    for (QuantizedParameter parameter : parameters) {
      if (parameter.role() == ParameterRole.WEIGHT && parameter.codes().isPresent()) {
        sum += parameter.length() * meanSquareStep(parameter.codes().get());
        weights += parameter.length();
      }
    }
    return weights == 0 ? 0 : sum / weights;
  }

  /** All channels have as many weights; the step is the mean one where a format has several. */
  private static double meanSquareStep(QuantizedTensor codes) {
    double sum = 0;
    for (NumberFormat format : codes.formats()) {
      double step = (format.maxValue() - format.minValue()) / (format.maxCode() - format.minCode());
      sum += step * step;
    }
    return sum / codes.formats().size();
  }

  /** Returns why the weights stay float; empty if they do not or there are none. */
  public Optional<String> floatReason() {
    if (weightBits() != FLOAT_BITS) {
      return Optional.empty();
    }
    return parameters.stream()
        .map(QuantizedParameter::floatReason)
        .filter(reason -> !reason.isEmpty())
        .findFirst();
  }

  /** Returns the number of elements of all parameters. */
  public long parameterCount() {
    return parameters.stream().mapToLong(QuantizedParameter::length).sum();
  }
}
