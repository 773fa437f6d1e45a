package org.dl4jquant.report;

import java.util.OptionalDouble;
import java.util.OptionalInt;
import org.dl4jquant.convert.QuantizedLayer;
import org.dl4jquant.convert.QuantizedParameter;
import org.dl4jquant.dl4j.ParameterRole;
import org.dl4jquant.format.FixedPointFormat;

/**
 * One layer in a report.
 *
 * @param name DL4J's name
 * @param kind the simple name of DL4J's configuration class
 * @param parameters the number of elements of all parameters
 * @param bits of a weight; 32 for float
 * @param minFractionalLength over the channels of the weights; empty if they stay float
 * @param maxFractionalLength likewise
 * @param statistic of method B, if it was recorded
 * @param sqnrDb of the weights, the lowest if there are several; infinite if nothing was lost
 * @param valueBits of the codes that carry the layer's value; empty if it stays float, or is only
 *     moved
 * @param minValueFractionalLength over the channels of the layer's value; empty like {@code
 *     valueBits}
 * @param maxValueFractionalLength likewise
 * @param accumulatorBits that the widest sum can need, proved from the weights; empty if none is
 *     computed in integers
 * @param bytesBefore of all parameters as DL4J holds them
 * @param bytesAfter packed, with one byte per channel for its format
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
    OptionalInt accumulatorBits,
    long bytesBefore,
    long bytesAfter,
    String floatReason) {
  static LayerRow of(
      QuantizedLayer layer, OptionalDouble statistic, Integers integers, int bytesPerElement) {
    int min = Integer.MAX_VALUE;
    int max = Integer.MIN_VALUE;
    double sqnr = Double.POSITIVE_INFINITY;
    long after = 0;
    for (QuantizedParameter parameter : layer.parameters()) {
      if (parameter.codes().isEmpty()) {
        after += parameter.length() * parameter.bitWidth() / Byte.SIZE;
        continue;
      }
      after += parameter.codes().get().packedLength() + parameter.codes().get().formats().size();
      if (parameter.role() == ParameterRole.WEIGHT) {
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
        layer.weightBits(),
        coded ? OptionalInt.of(min) : OptionalInt.empty(),
        coded ? OptionalInt.of(max) : OptionalInt.empty(),
        statistic,
        sqnr,
        integers.valueBits(layer.name()),
        integers.valueLengths(layer.name()).min(),
        integers.valueLengths(layer.name()).max(),
        integers.accumulatorBits(layer.name()),
        layer.parameterCount() * bytesPerElement,
        after,
        layer.floatReason().orElse(""));
  }
}
