package org.dl4jquant.strategy;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.google.common.collect.ImmutableList;
import java.util.List;
import org.dl4jquant.format.FixedPointFormat;
import org.dl4jquant.stats.TensorProfile;
import org.dl4jquant.stats.TensorProfileAccumulator;
import org.junit.jupiter.api.Test;

final class ChannelFormatsTest {
  /** Channels whose largest magnitudes are the given ones. */
  private static TensorProfile profile(int perChannel, double... largest) {
    TensorProfileAccumulator accumulator = TensorProfileAccumulator.create(largest.length);
    float[] values = new float[largest.length * perChannel];
    for (int i = 0; i < values.length; i++) {
      double share = (double) (i % perChannel + 1) / perChannel;
      values[i] = (float) (largest[i / perChannel] * share);
    }
    accumulator.acceptBatch(values, perChannel);
    return accumulator.snapshot();
  }

  private static List<Integer> lengths(TensorProfile profile) {
    return FormatStrategy.maxAbs().chooseEach(profile, 8, true).stream()
        .map(FixedPointFormat::fractionalLength)
        .toList();
  }

  @Test
  void everyChannelGetsItsOwn() {
    assertEquals(List.of(7, 6, 10), lengths(profile(100, 0.9, -1.5, 0.1)));
  }

  @Test
  void aDeadChannelGetsTheMedianOfTheOthers() {
    assertEquals(List.of(7, 7, 4, 10), lengths(profile(100, 0.9, 0, 8, 0.1)));
    assertEquals(List.of(4, 4, 10), lengths(profile(100, 0, 8, 0.1)));
    assertEquals(List.of(7, 7), lengths(profile(100, 0, 0)));
  }

  @Test
  void aChannelOfFewValuesGetsTheFormatOfTheTensor() {
    assertEquals(List.of(4, 4, 4), lengths(profile(99, 0.9, 8, 0.1)));
  }

  @Test
  void anEmptyTensorHasOneFormatPerChannel() {
    TensorProfile empty = TensorProfileAccumulator.create(2).snapshot();
    assertEquals(
        ImmutableList.of(FixedPointFormat.unsigned(4, 4), FixedPointFormat.unsigned(4, 4)),
        FormatStrategy.minMse().chooseEach(empty, 4, false));
  }

  /** Two channels of the quantiles of a half-normal distribution that ends at 0.99. */
  private static List<Integer> ofHalfNormal(int count) {
    double[] values = Profiles.Family.NORMAL.quantiles(2 * count);
    TensorProfileAccumulator accumulator = TensorProfileAccumulator.create(2);
    float[] batch = new float[2 * count];
    for (int i = 0; i < batch.length; i++) {
      batch[i] = (float) (0.99 * values[count + i % count] / values[2 * count - 1]);
    }
    accumulator.acceptBatch(batch, count);
    return FormatStrategy.minMse().chooseEach(accumulator.snapshot(), 8, false).stream()
        .map(FixedPointFormat::fractionalLength)
        .toList();
  }

  @Test
  void fewValuesLeaveRoomForMore() {
    assertEquals(List.of(7, 7), ofHalfNormal(120));
    assertEquals(List.of(8, 8), ofHalfNormal(40_000));
  }
}
