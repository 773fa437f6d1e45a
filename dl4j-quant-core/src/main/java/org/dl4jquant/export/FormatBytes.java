package org.dl4jquant.export;

import com.google.common.collect.ImmutableList;
import com.google.common.primitives.ImmutableDoubleArray;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.util.List;
import org.dl4jquant.format.AffineParameters;
import org.dl4jquant.format.Codebook;
import org.dl4jquant.format.FixedPointFormat;
import org.dl4jquant.format.LogFormat;
import org.dl4jquant.format.NumberFormat;
import org.dl4jquant.internal.Checks;

/**
 * The formats of one parameter's channels as bytes, big-endian: of fixed point one signed byte
 * each, the fractional length; of a codebook the number of levels in 16 bits, less one, the levels
 * as floats and the boundaries between them as doubles; of a logarithmic format its number of
 * levels, offset and half step in 32 bits each; of an affine format its scale as float and its zero
 * point in 32 bits.
 */
final class FormatBytes {
  private static final int LOG_BYTES = 3 * Integer.BYTES;
  private static final int AFFINE_BYTES = Float.BYTES + Integer.BYTES;

  private FormatBytes() {}

  /** How formats are written. */
  enum Scheme {
    FIXED_POINT("fixed-point"),
    CODEBOOK("codebook"),
    LOGARITHMIC("logarithmic"),
    AFFINE("affine");

    private final String label;

    Scheme(String label) {
      this.label = label;
    }

    String label() {
      return label;
    }

    static Scheme of(String label) {
      for (Scheme scheme : values()) {
        if (scheme.label.equals(label)) {
          return scheme;
        }
      }
      throw new IllegalArgumentException("unknown scheme " + label);
    }

    /**
     * Returns the scheme of a parameter's formats.
     *
     * @throws IllegalArgumentException if they are of several kinds, or of one that has no scheme
     */
    static Scheme of(List<NumberFormat> formats) {
      if (formats.stream().allMatch(FixedPointFormat.class::isInstance)) {
        return FIXED_POINT;
      }
      if (formats.stream().allMatch(Codebook.class::isInstance)) {
        return CODEBOOK;
      }
      if (formats.stream().allMatch(AffineParameters.class::isInstance)) {
        return AFFINE;
      }
      Checks.that(
          formats.stream().allMatch(LogFormat.class::isInstance),
          "formats",
          "be of one kind to be archived",
          formats.get(0));
      return LOGARITHMIC;
    }
  }

  /** Returns the number of levels of all channels; 0 but for codebooks. */
  static int levels(List<NumberFormat> formats) {
    return formats.stream()
        .mapToInt(format -> format instanceof Codebook book ? book.levels().length() : 0)
        .sum();
  }

  /** Returns how many bytes the formats take. */
  static long length(Scheme scheme, int channels, int levels) {
    return switch (scheme) {
      case FIXED_POINT -> channels;
      case CODEBOOK ->
          (long) channels * Short.BYTES
              + (long) levels * Float.BYTES
              + ((long) levels - channels) * Double.BYTES;
      case LOGARITHMIC -> (long) channels * LOG_BYTES;
      case AFFINE -> (long) channels * AFFINE_BYTES;
    };
  }

  static byte[] write(List<NumberFormat> formats) {
    Scheme scheme = Scheme.of(formats);
    long length = length(scheme, formats.size(), levels(formats));
    ByteBuffer bytes = ByteBuffer.allocate(Math.toIntExact(length));
    for (NumberFormat format : formats) {
      if (format instanceof Codebook book) {
        bytes.putShort((short) (book.levels().length() - 1));
        book.levels().forEach(level -> bytes.putFloat((float) level));
        book.boundaries().forEach(bytes::putDouble);
      } else if (format instanceof LogFormat log) {
        bytes.putInt(log.levels()).putInt(log.offset()).putInt(log.halfStep());
      } else if (format instanceof AffineParameters affine) {
        bytes.putFloat(affine.scale()).putInt(Math.toIntExact(affine.zeroPoint()));
      } else {
        bytes.put((byte) ((FixedPointFormat) format).fractionalLength());
      }
    }
    return bytes.array();
  }

  /**
   * Reads what {@link #write} wrote.
   *
   * @throws IllegalArgumentException if the bytes are no such formats, or not as many
   */
  static ImmutableList<NumberFormat> read(byte[] content, ParameterEntry.Coding coding) {
    ByteBuffer bytes = ByteBuffer.wrap(content);
    ImmutableList.Builder<NumberFormat> formats = ImmutableList.builder();
    int levels = 0;
    try {
      while (bytes.hasRemaining()) {
        NumberFormat format = next(bytes, coding);
        levels += format instanceof Codebook book ? book.levels().length() : 0;
        formats.add(format);
      }
    } catch (BufferUnderflowException e) {
      throw new IllegalArgumentException("formats must be complete, found an end within one", e);
    }
    Checks.that(levels == coding.levels(), "levels", "be " + coding.levels() + " in all", levels);
    return formats.build();
  }

  private static NumberFormat next(ByteBuffer bytes, ParameterEntry.Coding coding) {
    return switch (coding.scheme()) {
      case FIXED_POINT ->
          new FixedPointFormat(
              coding.bitWidth(), bytes.get(), coding.signed(), coding.narrowRange());
      case LOGARITHMIC -> logarithmic(bytes, coding.bitWidth());
      case AFFINE ->
          new AffineParameters(
              coding.bitWidth(), bytes.getFloat(), bytes.getInt(), coding.signed());
      case CODEBOOK -> codebook(bytes, coding.bitWidth());
    };
  }

  private static LogFormat logarithmic(ByteBuffer bytes, int bitWidth) {
    LogFormat format = new LogFormat(bytes.getInt(), bytes.getInt(), bytes.getInt());
    Checks.that(format.bitWidth() == bitWidth, "levels", "fit the codes", format);
    return format;
  }

  private static Codebook codebook(ByteBuffer bytes, int bitWidth) {
    int count = Short.toUnsignedInt(bytes.getShort()) + 1;
    Checks.that(count <= 1 << bitWidth, "levels", "be as many as codes at most", count);
    var levels = ImmutableDoubleArray.builder(count);
    for (int i = 0; i < count; i++) {
      levels.add(bytes.getFloat());
    }
    var boundaries = ImmutableDoubleArray.builder(count);
    for (int i = 1; i < count; i++) {
      boundaries.add(bytes.getDouble());
    }
    return new Codebook(bitWidth, levels.build(), boundaries.build());
  }
}
