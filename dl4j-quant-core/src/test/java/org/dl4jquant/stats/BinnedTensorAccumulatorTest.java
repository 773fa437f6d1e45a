package org.dl4jquant.stats;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.google.common.primitives.ImmutableIntArray;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

final class BinnedTensorAccumulatorTest {
  private static float[] batch(int length) {
    Random random = new Random(length);
    float[] values = new float[length];
    for (int i = 0; i < length; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }

  private static TensorProfile profile(int channels, int positions, float[] values) {
    BinnedTensorAccumulator accumulator = BinnedTensorAccumulator.create(channels);
    accumulator.acceptBatch(values, values.length, positions);
    return accumulator.snapshot();
  }

  @Test
  void everyValueReachesItsChannelAndTheWhole() {
    for (int channels : new int[] {1, 3, 300}) {
      for (int positions : new int[] {1, 4}) {
        float[] values = batch(channels * positions * 70);
        TensorProfile found = profile(channels, positions, values);
        int bins = found.channels().get(0).histogram().counts().length();
        BinnedProfileAccumulator last = BinnedProfileAccumulator.create(bins);
        for (int i = 0; i < values.length; i++) {
          if (i / positions % channels == channels - 1) {
            last.accept(values[i]);
          }
        }
        BinnedProfileAccumulator all = BinnedProfileAccumulator.create(2048);
        all.acceptAll(values, 0, values.length, 1);
        assertEquals(last.snapshot(), found.channels().get(channels - 1));
        assertEquals(all.snapshot(), found.whole(), channels + " channels");
      }
    }
  }

  @Test
  void manyChannelsShareAMegabyte() {
    assertEquals(2048, profile(64, 1, batch(64)).channels().get(0).histogram().counts().length());
    assertEquals(512, profile(256, 1, batch(256)).whole().histogram().counts().length());
    TensorProfile many = profile(2000, 1, batch(2000));
    assertEquals(64, many.channels().get(0).histogram().counts().length());
    assertEquals(2048, many.whole().histogram().counts().length());
    assertEquals(
        4, profile(50_000, 1, batch(50_000)).channels().get(7).histogram().counts().length());
  }

  @Test
  void partsEqualTheWholeExactly() {
    for (int channels : new int[] {5, 300}) {
      float[] values = batch(channels * 3 * 20);
      int cut = channels * 3 * 7;
      TensorProfile first = profile(channels, 3, Arrays.copyOf(values, cut));
      TensorProfile second = profile(channels, 3, Arrays.copyOfRange(values, cut, values.length));
      TensorProfile combined =
          BinnedTensorAccumulator.of(first).combine(BinnedTensorAccumulator.of(second)).snapshot();
      assertEquals(profile(channels, 3, values), combined);
      assertEquals(
          combined,
          BinnedTensorAccumulator.of(second).combine(BinnedTensorAccumulator.of(first)).snapshot());
    }
  }

  @Test
  void onlyTheFirstValuesCount() {
    float[] values = batch(60);
    BinnedTensorAccumulator accumulator = BinnedTensorAccumulator.create(3);
    accumulator.acceptBatch(values, 30, 2);
    assertEquals(profile(3, 2, Arrays.copyOf(values, 30)), accumulator.snapshot());
  }

  @Test
  void refusesWhatDoesNotFit() {
    BinnedTensorAccumulator accumulator = BinnedTensorAccumulator.create(3);
    assertMessage(
        "length must be a multiple of channels times positions, 6, found 7",
        () -> accumulator.acceptBatch(new float[7], 7, 2));
    assertMessage(
        "length must be between 0 and 7, found 8",
        () -> accumulator.acceptBatch(new float[7], 8, 1));
    assertMessage(
        "other must have 3 channels like this, found 4",
        () -> accumulator.combine(BinnedTensorAccumulator.create(4)));
  }

  private static void assertMessage(String message, Runnable call) {
    assertEquals(message, assertThrows(IllegalArgumentException.class, call::run).getMessage());
  }

  @Test
  void aProfileTimesPowersOfTwoIsThatOfTheValuesTimesThem() {
    Random random = new Random(4);
    float[] values = new float[3 * 500];
    float[] scaled = new float[values.length];
    int[] powers = {-3, 0, 5};
    for (int i = 0; i < values.length; i++) {
      values[i] = i % 7 == 0 ? 0 : (float) random.nextGaussian();
      scaled[i] = Math.scalb(values[i], powers[i / 500]);
    }
    BinnedTensorAccumulator plain = BinnedTensorAccumulator.create(3);
    plain.acceptBatch(values, values.length, 500);
    BinnedTensorAccumulator expected = BinnedTensorAccumulator.create(3);
    expected.acceptBatch(scaled, scaled.length, 500);
    assertEquals(expected.snapshot(), plain.snapshot().scaled(ImmutableIntArray.copyOf(powers)));
  }
}
