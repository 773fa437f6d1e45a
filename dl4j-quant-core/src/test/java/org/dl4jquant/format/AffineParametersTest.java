package org.dl4jquant.format;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

final class AffineParametersTest extends NumberFormatContract {
  @Override
  Stream<AffineParameters> formats() {
    return IntStream.rangeClosed(2, 32)
        .boxed()
        .flatMap(
            width ->
                Stream.of(0.1f, 1f, 0.007843138f, 3.3e-7f, 1e-40f, Float.MIN_VALUE, 1e20f)
                    .flatMap(
                        scale ->
                            Stream.of(
                                new AffineParameters(width, scale, 0, true),
                                new AffineParameters(width, scale, 0, false),
                                new AffineParameters(width, scale, (1L << width) - 1, false),
                                new AffineParameters(width, scale, (1L << width) / 3, false),
                                new AffineParameters(width, scale, -(1L << (width - 1)), true),
                                new AffineParameters(
                                    width, scale, (1L << (width - 1)) - 1, true))));
  }

  @Override
  List<Rounding> exactRoundings() {
    return List.of(Rounding.HALF_EVEN, Rounding.HALF_UP);
  }

  @Test
  void theZeroPointMeansZero() {
    formats()
        .forEach(
            format -> {
              assertEquals(0.0, format.dequantize(format.zeroPoint()));
              assertEquals(format.zeroPoint(), format.quantize(0.0));
              assertEquals(format.zeroPoint(), format.quantize(-0.0));
            });
  }

  @Test
  void coversARangeThatContainsZero() {
    assertEquals(
        new AffineParameters(8, (float) (4.0 / 255), 64, false),
        AffineParameters.covering(-1, 3, 8, false));
    assertEquals(
        new AffineParameters(8, (float) (4.0 / 255), -64, true),
        AffineParameters.covering(-1, 3, 8, true));
    assertEquals(
        new AffineParameters(4, (float) (6.0 / 15), 0, false),
        AffineParameters.covering(2, 6, 4, false));
    assertEquals(
        new AffineParameters(4, (float) (6.0 / 15), 7, true),
        AffineParameters.covering(-6, -2, 4, true));
    assertEquals(
        new AffineParameters(8, (float) (1.0 / 255), 0, false),
        AffineParameters.covering(0, 0, 8, false));
    for (double low = -3; low < 3; low += 0.37) {
      for (double high = low; high < 5; high += 0.41) {
        AffineParameters format = AffineParameters.covering(low, high, 8, low < -1);
        assertEquals(0.0, format.fakeQuantize(0));
        assertEquals(low, format.fakeQuantize(low), format.scale() * 0.51);
        assertEquals(high, format.fakeQuantize(high), format.scale() * 0.51);
      }
    }
    assertThrows(IllegalArgumentException.class, () -> AffineParameters.covering(1, 0, 8, false));
    assertThrows(
        IllegalArgumentException.class,
        () -> AffineParameters.covering(0, Double.POSITIVE_INFINITY, 8, false));
  }

  @Test
  void coversMagnitudesSymmetrically() {
    assertEquals(new AffineParameters(8, 0.01f, 0, true), AffineParameters.symmetric(1.27, 8));
    assertEquals(
        new AffineParameters(4, (float) (1.0 / 7), 0, true), AffineParameters.symmetric(0, 4));
    assertEquals(-127, AffineParameters.symmetric(1.27, 8).quantize(-1.27));
  }

  /** The example of the ONNX operator QuantizeLinear, per tensor. */
  @Test
  void goldenCodesOfOnnx() {
    AffineParameters format = new AffineParameters(8, 2, 128, false);
    double[] values = {0, 2, 3, 1000, -254, -1000};
    long[] codes = {128, 129, 130, 255, 1, 0};
    for (int i = 0; i < values.length; i++) {
      assertEquals(codes[i], format.quantize(values[i]), "of " + values[i]);
    }
    assertEquals(-256, format.minValue());
    assertEquals(254, format.maxValue());
  }

  @Test
  void tiesAreRoundedBeforeTheZeroPointIsAdded() {
    AffineParameters odd = new AffineParameters(8, 1, 3, true);
    assertEquals(3, odd.quantize(0.5));
    assertEquals(5, odd.quantize(1.5));
    assertEquals(5, odd.quantize(2.5));
    assertEquals(4, odd.quantize(0.5, Rounding.HALF_UP));
    assertEquals(2, odd.quantize(-0.5, Rounding.FLOOR));
  }

  @Test
  void upToSixteenBitsTheArithmeticIsInFloat() {
    // In float 0.35f / 0.1f is the tie 3.5, in double it is below it: 3.49999994.
    double value = 0.35f;
    float scale = 0.1f;
    assertEquals(3.5f, (float) value / scale);
    assertEquals(4, new AffineParameters(16, scale, 0, true).quantize(value));
    assertEquals(3, new AffineParameters(17, scale, 0, true).quantize(value));
    assertEquals(3 * 0.1f, new AffineParameters(8, scale, 0, true).dequantize(3));
    assertEquals(3 * (double) 0.1f, new AffineParameters(24, scale, 0, true).dequantize(3));
  }

  @Test
  void argumentsOutsideTheLimitsAreRefused() {
    assertMessage("bitWidth must be between 2 and 32, found 33", 33, 1, 0, true);
    assertMessage("scale must be positive and finite, found 0.0", 8, 0, 0, true);
    assertMessage("scale must be positive and finite, found NaN", 8, Float.NaN, 0, true);
    assertMessage("scale must be positive and finite, found Infinity", 8, 1 / 0f, 0, true);
    assertMessage("zeroPoint must be between -128 and 127, found 128", 8, 1, 128, true);
    assertMessage("zeroPoint must be between 0 and 255, found -1", 8, 1, -1, false);
    assertMessage("scale must keep the range of 8 bits finite, found 2.0E36", 8, 2e36f, 0, true);
  }

  private static void assertMessage(
      String message, int bitWidth, float scale, long zeroPoint, boolean signed) {
    assertEquals(
        message,
        assertThrows(
                IllegalArgumentException.class,
                () -> new AffineParameters(bitWidth, scale, zeroPoint, signed))
            .getMessage());
  }
}
