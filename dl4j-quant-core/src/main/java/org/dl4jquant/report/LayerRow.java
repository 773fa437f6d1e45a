package org.dl4jquant.report;

import java.util.Arrays;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.dl4jquant.convert.QuantizedLayer;
import org.dl4jquant.convert.QuantizedParameter;
import org.dl4jquant.dl4j.ParameterRole;
import org.dl4jquant.format.AffineParameters;
import org.dl4jquant.format.FixedPointFormat;
import org.dl4jquant.format.GridLevels;

/**
 * One layer in a report.
 *
 * @param name DL4J's name
 * @param kind the simple name of DL4J's configuration class
 * @param parameters the number of elements of all parameters
 * @param bits of a weight, or of the factors of a normalization; 32 for float
 * @param minFractionalLength over the channels of the weights; empty if they stay float
 * @param maxFractionalLength likewise
 * @param statistic of method B, if it was recorded
 * @param sqnrDb of the weights, the lowest if there are several; infinite if nothing was lost
 * @param valueBits of the codes that carry the layer's value; empty if it stays float, or is only
 *     moved
 * @param minValueFractionalLength over the channels of the layer's value; empty like {@code
 *     valueBits}
 * @param maxValueFractionalLength likewise
 * @param valueLevels of the layer's value, if it is logarithmic; {@code valueBits} are then those
 *     of its levels, the fractional length that of their grid
 * @param accumulatorBits that the widest sum can need, proved from the weights; empty if none is
 *     computed in integers
 * @param bytesBefore of all parameters as DL4J holds them
 * @param bytesAfter packed, with one byte per channel for its format, eight if it is affine
 * @param affine scales and zero point; empty if nothing of the layer is affine
 * @param floatReason why the weights stay float; empty if they do not or there are none
 */
public record LayerRow(
    String name,
    String kind,
    long parameters,
    int bits,
    OptionalInt minFractionalLength,
    OptionalInt maxFractionalLength,
    OptionalDouble statistic,
    double sqnrDb,
    OptionalInt valueBits,
    OptionalInt minValueFractionalLength,
    OptionalInt maxValueFractionalLength,
    Optional<GridLevels> valueLevels,
    OptionalInt accumulatorBits,
    long bytesBefore,
    long bytesAfter,
    Optional<Affine> affine,
    String floatReason) {
  /**
   * What is affine in a layer.
   *
   * @param minScale over the channels of the weights; empty if they are not affine
   * @param maxScale likewise
   * @param valueScale of the layer's value; empty if it is not affine
   * @param valueZeroPoint likewise
   */
  public record Affine(
      OptionalDouble minScale,
      OptionalDouble maxScale,
      OptionalDouble valueScale,
      OptionalLong valueZeroPoint) {
    static Optional<Affine> of(QuantizedLayer layer, Optional<AffineParameters> value) {
      double[] scales =
          layer.parameters().stream()
              .filter(parameter -> parameter.role() == ParameterRole.WEIGHT)
              .flatMap(parameter -> parameter.codes().stream())
              .flatMap(codes -> codes.formats().stream())
              .filter(AffineParameters.class::isInstance)
              .mapToDouble(format -> ((AffineParameters) format).scale())
              .toArray();
      return scales.length == 0 && value.isEmpty()
          ? Optional.empty()
          : Optional.of(
              new Affine(
                  Arrays.stream(scales).min(),
                  Arrays.stream(scales).max(),
                  value.isPresent()
                      ? OptionalDouble.of(value.get().scale())
                      : OptionalDouble.empty(),
                  value.isPresent()
                      ? OptionalLong.of(value.get().zeroPoint())
                      : OptionalLong.empty()));
    }
  }

  private static final int AFFINE_BYTES = 8;

  static LayerRow of(
      QuantizedLayer layer, OptionalDouble statistic, Integers integers, int bytesPerElement) {
    int min = Integer.MAX_VALUE;
    int max = Integer.MIN_VALUE;
    double sqnr = Double.POSITIVE_INFINITY;
    long after = 0;
    Optional<QuantizedParameter> factors = factors(layer);
    for (QuantizedParameter parameter : layer.parameters()) {
      if (parameter.codes().isEmpty()) {
        after += parameter.length() * parameter.bitWidth() / Byte.SIZE;
        continue;
      }
      boolean affine = parameter.codes().get().formats().get(0) instanceof AffineParameters;
      int formats = parameter.codes().get().formats().size() * (affine ? AFFINE_BYTES : 1);
      after += parameter.codes().get().packedLength() + formats;
      if (parameter.role() == ParameterRole.WEIGHT || factors.equals(Optional.of(parameter))) {
        sqnr = Math.min(sqnr, parameter.sqnrDb());
        int[] lengths =
            parameter.codes().get().formats().stream()
                .filter(FixedPointFormat.class::isInstance)
                .mapToInt(format -> ((FixedPointFormat) format).fractionalLength())
                .toArray();
        for (int length : lengths) {
          min = Math.min(min, length);
          max = Math.max(max, length);
        }
      }
    }
    boolean coded = min <= max;
    return new LayerRow(
        layer.name(),
        layer.kind(),
        layer.parameterCount(),
        factors.map(QuantizedParameter::bitWidth).orElseGet(layer::weightBits),
        coded ? OptionalInt.of(min) : OptionalInt.empty(),
        coded ? OptionalInt.of(max) : OptionalInt.empty(),
        statistic,
        sqnr,
        integers.valueBits(layer.name()),
        integers.valueLengths(layer.name()).min(),
        integers.valueLengths(layer.name()).max(),
        integers.valueLevels(layer.name()),
        integers.accumulatorBits(layer.name()),
        layer.parameterCount() * bytesPerElement,
        after,
        Affine.of(layer, integers.valueAffine(layer.name())),
        factors.isPresent() ? "" : layer.floatReason().orElse(""));
  }

  /** Returns the codes of the factors of a normalization, which has no weights. */
  private static Optional<QuantizedParameter> factors(QuantizedLayer layer) {
    boolean weights =
        layer.parameters().stream().anyMatch(parameter -> parameter.role() == ParameterRole.WEIGHT);
    return layer.parameters().stream()
        .filter(parameter -> !weights && parameter.codes().isPresent())
        .findFirst();
  }
}
