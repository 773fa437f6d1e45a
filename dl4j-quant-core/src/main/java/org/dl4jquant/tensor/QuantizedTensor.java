package org.dl4jquant.tensor;

import com.google.common.collect.ImmutableList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.dl4jquant.format.Granularity;
import org.dl4jquant.format.NumberFormat;
import org.dl4jquant.format.Rounding;
import org.dl4jquant.internal.Checks;

/**
 * Integer codes with a shape and a format per channel: what is left of a {@link Tensor} when it is
 * quantized. Immutable and thread-safe.
 *
 * <p>The codes are kept as they are written to files. Up to 16 bits they form a bit stream without
 * gaps: in row-major order of the elements, the least significant bit first, filling each byte from
 * its least significant bit; signed codes are two's complement; the bits after the last code are
 * zero. Wider codes take 32 bits each, as little-endian two's complement.
 */
public final class QuantizedTensor {
  private final byte[] packed;
  private final TensorCodec codec;
  private final int[] shape;

  private QuantizedTensor(byte[] packed, TensorCodec codec, int[] shape) {
    this.packed = packed;
    this.codec = codec;
    this.shape = shape;
  }

  /**
   * Returns the codes of {@code tensor}.
   *
   * @param formats one per channel of the granularity, at least one, all of the same bit width and
   *     signedness, with codes that fit an int (which excludes 32 bits unsigned)
   * @throws IllegalArgumentException if the formats do not fit, or if a value is NaN; infinite
   *     values saturate
   */
  public static QuantizedTensor quantize(
      Tensor tensor,
      Granularity granularity,
      List<? extends NumberFormat> formats,
      Rounding rounding) {
    TensorCodec codec = TensorCodec.of(granularity, formats, tensor.shape());
    int[] codes = new int[codec.length()];
    codec.quantize(tensor.values(), rounding, codes);
    return packed(codes, codec, tensor.shape());
  }

  /**
   * Returns a tensor of these codes, in row-major order.
   *
   * @throws IllegalArgumentException if their number is not the shape's, or if one is not a code of
   *     its format
   */
  public static QuantizedTensor of(
      int[] codes, Granularity granularity, List<? extends NumberFormat> formats, int... shape) {
    TensorCodec codec = TensorCodec.of(granularity, formats, shape);
    Checks.that(
        codes.length == codec.length(),
        "codes",
        "have as many elements as shape " + Arrays.toString(shape),
        codes.length);
    requireCodes(codes, codec, shape);
    return packed(codes, codec, shape.clone());
  }

  /**
   * Returns the tensor whose {@link #packed()} was {@code packed}.
   *
   * @throws IllegalArgumentException if the length is not the shape's, if the bits after the last
   *     code are not zero, or if a code is not one of its format
   */
  public static QuantizedTensor fromPacked(
      byte[] packed, Granularity granularity, List<? extends NumberFormat> formats, int... shape) {
    TensorCodec codec = TensorCodec.of(granularity, formats, shape);
    int bitWidth = codec.formats().get(0).bitWidth();
    long bytes = PackedCodes.bytes(codec.length(), bitWidth);
    Checks.that(
        packed.length == bytes,
        "packed",
        "have %d bytes for shape %s at %d bits".formatted(bytes, Arrays.toString(shape), bitWidth),
        packed.length);
    byte[] copy = packed.clone();
    Checks.that(
        PackedCodes.paddingIsZero(copy, bitWidth, codec.length()),
        "packed",
        "end with zero bits after the last code",
        copy.length == 0 ? "nothing" : "a last byte of " + (copy[copy.length - 1] & 0xff));
    QuantizedTensor tensor = new QuantizedTensor(copy, codec, shape.clone());
    requireCodes(tensor.codes(), codec, shape);
    return tensor;
  }

  private static QuantizedTensor packed(int[] codes, TensorCodec codec, int[] shape) {
    int bitWidth = codec.formats().get(0).bitWidth();
    return new QuantizedTensor(PackedCodes.pack(codes, bitWidth), codec, shape);
  }

  private static void requireCodes(int[] codes, TensorCodec codec, int[] shape) {
    var runs = codec.granularity().runs(shape);
    int i = 0;
    for (int repeat = 0; repeat < runs.repeats(); repeat++) {
      for (int run = 0; run < runs.channels().length(); run++) {
        NumberFormat format = codec.formats().get(runs.channels().get(run));
        long min = format.minCode();
        long max = format.maxCode();
        for (int end = i + runs.length(); i < end; i++) {
          if (codes[i] < min || codes[i] > max) {
            throw Checks.violated(
                "codes", "be between " + min + " and " + max, codes[i] + " at index " + i);
          }
        }
      }
    }
  }

  /** Returns the real values, rounded to float; beyond 24 bits a float does not hold every code. */
  public Tensor dequantize() {
    float[] values = new float[length()];
    codec.dequantize(codes(), values);
    return Tensor.of(values, shape);
  }

  /** Returns the codes in row-major order; a new array. */
  public int[] codes() {
    int[] codes = new int[length()];
    PackedCodes.unpack(packed, bitWidth(), signed(), codes);
    return codes;
  }

  /** Returns one code; {@code index} counts in row-major order. */
  public int code(int index) {
    Objects.checkIndex(index, length());
    return PackedCodes.get(packed, bitWidth(), signed(), index);
  }

  /** Returns the packed codes in the layout described above; a new array. */
  public byte[] packed() {
    return packed.clone();
  }

  /** Returns the number of bytes of the packed codes. */
  public int packedLength() {
    return packed.length;
  }

  /** Returns a copy of the shape. */
  public int[] shape() {
    return shape.clone();
  }

  /** Returns the number of elements. */
  public int length() {
    return codec.length();
  }

  /** Returns which elements share a format. */
  public Granularity granularity() {
    return codec.granularity();
  }

  /** Returns the formats, one per channel. */
  public ImmutableList<NumberFormat> formats() {
    return codec.formats();
  }

  /** Returns the bits of one code, the sign included. */
  public int bitWidth() {
    return formats().get(0).bitWidth();
  }

  /** Returns true if the codes are two's complement, false if they start at 0. */
  public boolean signed() {
    return formats().get(0).signed();
  }

  /** Equal shape, granularity, formats and codes. */
  @Override
  public boolean equals(Object other) {
    return other instanceof QuantizedTensor that
        && Arrays.equals(shape, that.shape)
        && granularity().equals(that.granularity())
        && formats().equals(that.formats())
        && Arrays.equals(packed, that.packed);
  }

  @Override
  public int hashCode() {
    return Objects.hash(Arrays.hashCode(shape), granularity(), formats(), Arrays.hashCode(packed));
  }

  @Override
  public String toString() {
    return "QuantizedTensor%s, %d bit, %s"
        .formatted(Arrays.toString(shape), bitWidth(), granularity());
  }
}
