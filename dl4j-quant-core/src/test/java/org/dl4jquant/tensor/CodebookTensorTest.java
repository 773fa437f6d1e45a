package org.dl4jquant.tensor;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import java.util.Random;
import org.dl4jquant.format.Codebook;
import org.dl4jquant.format.Granularity;
import org.dl4jquant.format.LogFormat;
import org.dl4jquant.format.NumberFormat;
import org.dl4jquant.format.Rounding;
import org.junit.jupiter.api.Test;

/** Codebooks and logarithmic formats inside {@link QuantizedTensor}. */
final class CodebookTensorTest {
  private static Tensor gaussian(int rows, int columns) {
    Random random = new Random(5);
    float[] values = new float[rows * columns];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return Tensor.of(values, rows, columns);
  }

  private static void assertSurvivesPacking(
      Granularity granularity, List<? extends NumberFormat> formats) {
    Tensor tensor = gaussian(3, 37);
    QuantizedTensor quantized =
        QuantizedTensor.quantize(tensor, granularity, formats, Rounding.HALF_EVEN);
    float[] values = quantized.dequantize().values();
    for (int i = 0; i < tensor.length(); i++) {
      NumberFormat format = formats.get(formats.size() == 1 ? 0 : i / 37);
      assertEquals((float) format.fakeQuantize(tensor.values()[i]), values[i]);
    }
    QuantizedTensor read =
        QuantizedTensor.fromPacked(quantized.packed(), granularity, formats, 3, 37);
    assertEquals(quantized, read);
    assertArrayEquals(quantized.codes(), read.codes());
    QuantizedTensor again =
        QuantizedTensor.quantize(read.dequantize(), granularity, formats, Rounding.FLOOR);
    assertEquals(quantized, again);
    int bits = 3 * 37 * formats.get(0).bitWidth();
    assertEquals((bits + 7) / 8, quantized.packedLength());
  }

  @Test
  void packsCodesOfOneCodebook() {
    assertSurvivesPacking(Granularity.perTensor(), List.of(Codebook.of(-1.5, -0.5, 0, 0.5, 1.5)));
    assertSurvivesPacking(Granularity.perTensor(), List.of(Codebook.of(-0.7f, 0.7f)));
    assertSurvivesPacking(Granularity.perTensor(), List.of(Codebook.of(0)));
  }

  @Test
  void packsCodebooksOfDifferentNumbersOfLevels() {
    assertSurvivesPacking(
        Granularity.perChannel(0),
        List.of(
            Codebook.of(-1, 0, 1),
            Codebook.of(0).withBitWidth(2),
            Codebook.of(-2, -0.25, 0.25, 1.25)));
  }

  @Test
  void packsLogFormats() {
    assertSurvivesPacking(Granularity.perTensor(), List.of(new LogFormat(16, -30, 2)));
    assertSurvivesPacking(
        Granularity.perChannel(0),
        List.of(new LogFormat(7, -30, 2), new LogFormat(8, -8, 7), new LogFormat(5, 0, 1)));
  }

  @Test
  void refusesCodesThatTheCodebookDoesNotHave() {
    List<Codebook> three = List.of(Codebook.of(-1, 0, 1));
    assertEquals(
        "codes must be between 0 and 2, found 3 at index 1",
        assertThrows(
                IllegalArgumentException.class,
                () ->
                    QuantizedTensor.fromPacked(
                        new byte[] {0b1100}, Granularity.perTensor(), three, 2))
            .getMessage());
  }
}
