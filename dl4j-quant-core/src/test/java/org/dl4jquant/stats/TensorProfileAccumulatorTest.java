package org.dl4jquant.stats;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

final class TensorProfileAccumulatorTest {
  private static final int CHANNELS = 3;

  private static float[] batch(int examples, int positions) {
    float[] values = new float[examples * CHANNELS * positions];
    Random random = new Random(positions);
    for (int i = 0; i < values.length; i++) {
      int channel = i / positions % CHANNELS;
      values[i] = (float) (random.nextGaussian() * (1 << channel) + channel);
    }
    values[0] = Float.NaN;
    return values;
  }

  private static TensorProfileAccumulator of(float[] values, int positions) {
    TensorProfileAccumulator accumulator = TensorProfileAccumulator.create(CHANNELS, 64);
    accumulator.acceptBatch(values, positions);
    return accumulator;
  }

  private static void assertSame(ChannelProfile expected, ChannelProfile actual) {
    assertEquals(expected.histogram(), actual.histogram());
    assertEquals(expected.count(), actual.count());
    assertEquals(expected.moments().nonFinite(), actual.moments().nonFinite());
    assertEquals(expected.moments().max(), actual.moments().max());
    assertEquals(expected.moments().mean(), actual.moments().mean(), 1e-12);
    assertEquals(expected.moments().variance(), actual.moments().variance(), 1e-11);
  }

  @Test
  void everyValueReachesItsChannelAndTheWhole() {
    for (int positions : new int[] {1, 2, 25}) {
      float[] values = batch(7, positions);
      TensorProfile profile = of(values, positions).snapshot();
      ChannelProfileAccumulator whole = ChannelProfileAccumulator.create(64);
      for (int c = 0; c < CHANNELS; c++) {
        ChannelProfileAccumulator channel = ChannelProfileAccumulator.create(64);
        for (int i = 0; i < values.length; i++) {
          if (i / positions % CHANNELS == c) {
            channel.accept(values[i]);
            whole.accept(values[i]);
          }
        }
        assertSame(channel.snapshot(), profile.channels().get(c));
      }
      assertSame(whole.snapshot(), profile.whole());
      assertEquals(1, profile.whole().moments().nonFinite());
    }
  }

  @Test
  void combiningBatchesEqualsOnePass() {
    float[] values = batch(8, 5);
    for (int cut : new int[] {0, 1, 5, 8}) {
      int at = cut * CHANNELS * 5;
      TensorProfile parts =
          of(Arrays.copyOf(values, at), 5)
              .combine(of(Arrays.copyOfRange(values, at, values.length), 5))
              .snapshot();
      TensorProfile once = of(values, 5).snapshot();
      assertSame(once.whole(), parts.whole());
      for (int c = 0; c < CHANNELS; c++) {
        assertSame(once.channels().get(c), parts.channels().get(c));
      }
    }
  }

  @Test
  void snapshotDoesNotMove() {
    TensorProfileAccumulator accumulator = of(batch(2, 1), 1);
    TensorProfile before = accumulator.snapshot();
    accumulator.acceptBatch(batch(2, 1), 1);
    assertEquals(of(batch(2, 1), 1).snapshot(), before);
  }

  @Test
  void anEmptyBatchAddsNothing() {
    assertEquals(0, of(new float[0], 1).snapshot().whole().count());
    assertEquals(
        of(batch(2, 1), 1).snapshot(), of(batch(2, 1), 1).combine(of(new float[0], 1)).snapshot());
  }

  @Test
  void refusesWhatDoesNotFit() {
    assertMessage(
        "values must hold a multiple of channels times positions, 6, found 7",
        () -> of(new float[7], 2));
    assertMessage("positions must be at least 1, found 0", () -> of(new float[6], 0));
    assertMessage("channels must be at least 1, found 0", () -> TensorProfileAccumulator.create(0));
    assertMessage(
        "other must have 3 channels like this, found 4",
        () -> of(new float[6], 1).combine(TensorProfileAccumulator.create(4, 64)));
    assertMessage(
        "other must have 64 bins like this, found 2048",
        () -> of(new float[6], 1).combine(TensorProfileAccumulator.create(3)));
  }

  private static void assertMessage(String message, Runnable call) {
    assertEquals(message, assertThrows(IllegalArgumentException.class, call::run).getMessage());
  }
}
