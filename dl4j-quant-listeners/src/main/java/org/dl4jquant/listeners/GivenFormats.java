package org.dl4jquant.listeners;

import com.google.common.collect.ImmutableList;
import com.google.common.primitives.ImmutableIntArray;
import org.dl4jquant.format.FixedPointFormat;
import org.dl4jquant.format.Granularity;
import org.dl4jquant.internal.Checks;

/**
 * The formats that one parameter is to be carried in, one per channel.
 *
 * @param granularity which elements share a format
 * @param formats at least one; they differ in the fractional length alone
 */
record GivenFormats(Granularity granularity, ImmutableList<FixedPointFormat> formats) {
  GivenFormats {
    Checks.that(!formats.isEmpty(), "formats", "have at least one", "none");
    FixedPointFormat first = formats.get(0);
    for (FixedPointFormat format : formats) {
      Checks.that(
          format.withFractionalLength(first.fractionalLength()).equals(first),
          "formats",
          "differ in the fractional length alone",
          formats);
    }
  }

  /** Returns the format in which all channels are carried, each scaled by a power of two. */
  FixedPointFormat common() {
    return formats.get(0);
  }

  /** Returns the fractional length of each channel. */
  ImmutableIntArray fractionalLengths() {
    return ImmutableIntArray.copyOf(formats.stream().mapToInt(FixedPointFormat::fractionalLength));
  }

  /** Returns by what the weights of each channel are multiplied to be on the common grid. */
  double[] factors() {
    double[] factors = new double[formats.size()];
    for (int c = 0; c < factors.length; c++) {
      factors[c] = Math.scalb(1.0, formats.get(c).fractionalLength() - common().fractionalLength());
    }
    return factors;
  }
}
