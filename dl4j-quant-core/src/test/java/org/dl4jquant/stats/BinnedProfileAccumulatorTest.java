package org.dl4jquant.stats;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import org.junit.jupiter.api.Test;

final class BinnedProfileAccumulatorTest
    extends AccumulatorContract<BinnedProfileAccumulator, ChannelProfile> {
  @Override
  BinnedProfileAccumulator create() {
    return BinnedProfileAccumulator.create(64);
  }

  private static float[] rectified(int count) {
    Random random = new Random(9);
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) Math.max(0, random.nextGaussian() + 0.2);
    }
    values[5] = -0.0f;
    values[6] = Float.NaN;
    values[7] = Float.NEGATIVE_INFINITY;
    return values;
  }

  @Test
  void bulkEqualsOneByOne() {
    float[] values = rectified(1001);
    values[8] = -Float.MIN_VALUE;
    values[9] = Float.MAX_VALUE;
    for (int stride : new int[] {1, 3}) {
      BinnedProfileAccumulator bulk = create();
      bulk.acceptAll(values, 2, 1000, stride);
      BinnedProfileAccumulator single = create();
      for (int i = 2; i < 1000; i += stride) {
        single.accept(values[i]);
      }
      assertEquals(single.snapshot(), bulk.snapshot());
    }
  }

  @Test
  void momentsFollowThoseOfTheValues() {
    float[] values = rectified(50_000);
    BinnedProfileAccumulator binned = BinnedProfileAccumulator.create(1024);
    binned.acceptAll(values, 0, values.length, 1);
    MomentsAccumulator exact = MomentsAccumulator.create();
    exact.acceptAll(values, 0, values.length, 1);
    Moments expected = exact.snapshot();
    Moments found = binned.snapshot().moments();
    assertEquals(expected.count(), found.count());
    assertEquals(expected.zeros(), found.zeros());
    assertEquals(expected.positives(), found.positives());
    assertEquals(expected.nonFinite(), found.nonFinite());
    assertEquals(expected.min(), found.min());
    assertEquals(expected.max(), found.max());
    assertEquals(expected.mean(), found.mean(), 1e-4);
    assertEquals(expected.meanAbs(), found.meanAbs(), 1e-4);
    assertEquals(expected.positiveMeanSquare(), found.positiveMeanSquare(), 3e-4);
    for (int order = 2; order <= 6; order++) {
      double moment = expected.centralMoment(order);
      assertEquals(moment, found.centralMoment(order), 1e-3 * moment, "order " + order);
    }
  }

  @Test
  void aConstantIsExact() {
    BinnedProfileAccumulator constant = create();
    constant.acceptAll(new float[] {-0.3f, -0.3f, -0.3f}, 0, 3, 1);
    Moments moments = constant.snapshot().moments();
    assertEquals(-0.3f, moments.mean(), 1e-9);
    assertEquals(0.3f, moments.meanAbs(), 1e-9);
    assertEquals(0, moments.variance(), 1e-15);
  }

  @Test
  void goesOnFromASnapshot() {
    float[] values = rectified(300);
    BinnedProfileAccumulator whole = create();
    whole.acceptAll(values, 0, 300, 1);
    BinnedProfileAccumulator first = create();
    first.acceptAll(values, 0, 100, 1);
    BinnedProfileAccumulator resumed = BinnedProfileAccumulator.of(first.snapshot());
    resumed.acceptAll(values, 100, 300, 1);
    assertEquals(whole.snapshot(), resumed.snapshot());
    assertEquals(create().snapshot(), BinnedProfileAccumulator.of(create().snapshot()).snapshot());
  }

  @Test
  void anEmptyOneHasNoMoments() {
    Moments moments = create().snapshot().moments();
    assertEquals(0, moments.count());
    assertTrue(Double.isNaN(moments.mean()));
    assertTrue(Double.isNaN(moments.max()));
    assertTrue(Double.isNaN(moments.positiveMeanSquare()));
  }
}
