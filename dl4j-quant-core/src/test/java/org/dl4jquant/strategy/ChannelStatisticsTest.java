package org.dl4jquant.strategy;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Arrays;
import java.util.List;
import java.util.stream.DoubleStream;
import org.dl4jquant.format.FixedPointFormat;
import org.dl4jquant.stats.ChannelProfile;
import org.dl4jquant.stats.TensorProfile;
import org.dl4jquant.stats.TensorProfileAccumulator;
import org.junit.jupiter.api.Test;

/** The golden values and edge cases of method A's second step. */
final class ChannelStatisticsTest {
  private static final double[] NORMAL = Profiles.Family.NORMAL.quantiles(20_000);

  private static int length(boolean signed, double... values) {
    ChannelProfile profile = Profiles.of(values);
    FixedPointFormat format = FormatStrategy.channelStatistics().choose(profile, 8, signed);
    assertEquals(8, format.bitWidth());
    assertEquals(signed, format.signed());
    return format.fractionalLength();
  }

  @Test
  void aNormalChannelGetsThePublishedLengths() {
    double[] sigmas = {1, 2, 4, 6, 0.1};
    int[] expected = {5, 4, 3, 2, 8};
    for (int i = 0; i < sigmas.length; i++) {
      assertEquals(expected[i], length(true, Profiles.scaled(sigmas[i], NORMAL)));
    }
  }

  @Test
  void aLaplaceChannelGetsOneBitLess() {
    ChannelProfile profile = Profiles.Family.LAPLACE.profile(1);
    assertEquals(
        4, FormatStrategy.channelStatisticsLaplace().choose(profile, 8, true).fractionalLength());
    assertEquals(
        1, FormatStrategy.channelStatisticsLaplace().choose(profile, 4, true).fractionalLength());
    assertEquals(
        "channel-statistics:laplace", FormatStrategy.channelStatisticsLaplace().toString());
  }

  @Test
  void aRectifiedChannelIsHalfOfADistribution() {
    double[] rectified = Profiles.rectified(NORMAL);
    // an unsigned format of 8 bits has the step of a signed one of 9 and of as many more codes
    assertEquals(6, length(false, rectified));
    assertEquals(5, length(true, rectified));
    // zeros do not count
    double[] sparse =
        DoubleStream.concat(Arrays.stream(rectified), DoubleStream.generate(() -> 0).limit(90_000))
            .toArray();
    assertEquals(6, length(false, sparse));
    // an unsigned format carries no negative values, so that they do not count either
    assertEquals(6, length(false, NORMAL));
  }

  @Test
  void aMeanFarFromZeroStaysWithinTheRange() {
    // with 3 bits the best range of one deviation is 2: about zero it is 1.118, which asks for
    // length 1, but the mean and three deviations, 2.5 = 2 * 1.25, ask for 0
    ChannelProfile off = Profiles.of(Arrays.stream(NORMAL).map(x -> 0.5 * x - 1).toArray());
    assertEquals(0, FormatStrategy.channelStatistics().choose(off, 3, true).fractionalLength());
    assertEquals(1, PdfFamily.NORMAL.fractionalLength(1.118, 3));
    double[] near = Arrays.stream(NORMAL).map(x -> x + 0.4).toArray();
    assertEquals(5, length(true, near));
  }

  @Test
  void whatTellsNoDistributionGetsTheRangeRule() {
    // the variance is zero, the value is not
    double[] constant = new double[500];
    Arrays.fill(constant, 0.4);
    assertEquals(8, length(true, constant));
    Arrays.fill(constant, -1.5);
    assertEquals(6, length(true, constant));
    // nothing but zeros: the range ends at 1
    assertEquals(7, length(true, new double[500]));
    // too few
    double[] few = Profiles.Family.NORMAL.quantiles(99);
    double largest = Arrays.stream(few).max().orElseThrow();
    assertEquals(7, length(true, Profiles.scaled(0.99 / largest, few)));
    // denormal
    double[] denormal = new double[500];
    Arrays.fill(denormal, 1e-40);
    assertEquals(7, length(true, denormal));
  }

  @Test
  void aShortTailIsNotGivenMoreRangeThanWasSeen() {
    double[] uniform = Profiles.Family.UNIFORM.quantiles(20_000); // up to sqrt(3)
    assertEquals(6, length(true, uniform));
  }

  @Test
  void channelsOfATensorAreChosenOneByOne() {
    int each = 4_000;
    float[] values = new float[5 * each];
    double[] sigmas = {1, 0.1, 0, 4};
    double[] normal = Profiles.Family.NORMAL.quantiles(each);
    for (int c = 0; c < sigmas.length; c++) {
      for (int i = 0; i < each; i++) {
        values[c * each + i] = (float) (sigmas[c] * normal[i]);
      }
    }
    Arrays.fill(values, 4 * each, 5 * each, 0.5f);
    TensorProfileAccumulator accumulator = TensorProfileAccumulator.create(5);
    accumulator.acceptBatch(values, each);
    assertEquals(
        List.of(5, 8, 5, 3, 8), lengths(accumulator.snapshot())); // the dead one gets the median

    TensorProfileAccumulator few = TensorProfileAccumulator.create(2);
    float[] batch = new float[2 * 60];
    for (int i = 0; i < batch.length; i++) {
      batch[i] = (float) ((i < 60 ? 1 : 0.01) * Profiles.Family.NORMAL.quantiles(60)[i % 60]);
    }
    few.acceptBatch(batch, 60);
    List<Integer> shared = lengths(few.snapshot());
    assertEquals(shared.get(0), shared.get(1), "with few values the layer decides");
  }

  private static List<Integer> lengths(TensorProfile profile) {
    return FormatStrategy.channelStatistics().chooseEach(profile, 8, true).stream()
        .map(FixedPointFormat::fractionalLength)
        .toList();
  }

  @Test
  void theRangeRuleOfWeightsHasAMargin() {
    float[] largest = {0.4f, 0.5f, 1, 1.5f, 0.03f};
    int[] expected = {8, 8, 7, 6, 12};
    int[] withMargin = {8, 7, 6, 6, 12};
    for (int i = 0; i < largest.length; i++) {
      float[] weights = {0.01f, -largest[i]};
      assertEquals(expected[i], WeightStrategy.range(0).choose(weights, 8).fractionalLength());
      assertEquals(
          withMargin[i], WeightStrategy.range(0x1p-20).choose(weights, 8).fractionalLength());
    }
    // 1.5 may saturate down to 1.05
    assertEquals(6, WeightStrategy.range(-0.3).choose(new float[] {1.5f}, 8).fractionalLength());
    assertEquals(7, WeightStrategy.range(-0.35).choose(new float[] {1.5f}, 8).fractionalLength());
    assertEquals(
        "margin must be greater than -1 and finite, found -1.0",
        assertThrows(IllegalArgumentException.class, () -> WeightStrategy.range(-1)).getMessage());
  }
}
