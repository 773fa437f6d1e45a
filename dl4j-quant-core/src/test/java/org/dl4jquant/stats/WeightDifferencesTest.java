package org.dl4jquant.stats;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableMap;
import com.google.common.primitives.ImmutableDoubleArray;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

final class WeightDifferencesTest {
  private static final WeightDifferences NOTHING =
      new WeightDifferences(
          DifferenceReference.INITIAL,
          TrainingCycle.epochs(1),
          0,
          ImmutableList.of(
              new LayerDifference(
                  "conv", false, ImmutableList.of(ParameterDifference.unseen("W", 4, 0))),
              new LayerDifference(
                  "lstm",
                  false,
                  ImmutableList.of(
                      ParameterDifference.unseen("W", 2, 2),
                      ParameterDifference.unseen("RW", 6, 2)))));

  private static WeightDifferences run(long seed, int cycles) {
    Random random = new Random(seed);
    WeightDifferenceAccumulator accumulator = new WeightDifferenceAccumulator(NOTHING);
    for (int t = 0; t < cycles; t++) {
      cycle(accumulator, random);
    }
    return accumulator.snapshot();
  }

  private static void cycle(WeightDifferenceAccumulator accumulator, Random random) {
    double a = random.nextInt(1000) / 8.0;
    double b = random.nextInt(1000) / 8.0;
    accumulator.accept("conv", "W", random.nextInt(1000) / 8.0);
    accumulator.accept("lstm", "W", a + b, new double[] {a, b});
    accumulator.accept("lstm", "RW", b + 1, new double[] {1, b});
    accumulator.endCycle();
  }

  @Test
  void theStatisticIsTheMeanSquareOverCyclesAndWeights() {
    WeightDifferenceAccumulator accumulator = new WeightDifferenceAccumulator(NOTHING);
    float[] initial = {1, 2, 3, 4};
    accumulator.accept("conv", "W", new float[] {1.5f, 2, 3, 3}, initial); // 0.25 + 1
    accumulator.accept("lstm", "W", 8, new double[] {2, 6});
    accumulator.accept("lstm", "RW", 0, new double[] {0, 0});
    accumulator.endCycle();
    accumulator.accept("conv", "W", new float[] {2, 2, 5, 4}, initial); // 1 + 4
    accumulator.accept("lstm", "W", 0, new double[] {0, 0});
    accumulator.accept("lstm", "RW", 16, new double[] {16, 0});
    accumulator.endCycle();

    WeightDifferences seen = accumulator.snapshot();

    assertEquals(2, seen.cycles());
    assertEquals(6.25 / (2 * 4), seen.statistic("conv"));
    assertEquals(5.0 / 4, seen.statistic("conv", DifferenceAggregate.FINAL));
    assertEquals(24.0 / (2 * 8), seen.statistic("lstm"));
    assertEquals(16.0 / 8, seen.statistic("lstm", DifferenceAggregate.FINAL));
    assertEquals(
        ImmutableDoubleArray.of(2.0 / 2, 6.0 / 2),
        seen.channelStatistics("lstm", "W", DifferenceAggregate.MEAN_OVER_CYCLES));
    assertEquals(
        ImmutableDoubleArray.of(16.0 / 3, 0),
        seen.channelStatistics("lstm", "RW", DifferenceAggregate.FINAL));
    assertTrue(
        seen.channelStatistics("conv", "W", DifferenceAggregate.FINAL).isEmpty(), "not recorded");
    assertEquals(
        List.of("conv", "lstm"), seen.statistics(DifferenceAggregate.FINAL).keySet().asList());
  }

  @Test
  void sumsOfAnyLengthAndOffsetEqualTheNaiveOne() {
    Random random = new Random(3);
    for (int count = 0; count < 20; count++) {
      float[] current = new float[count + 3];
      float[] reference = new float[count + 5];
      double[] wideCurrent = new double[count + 3];
      double[] wideReference = new double[count + 5];
      double sum = 0;
      for (int i = 0; i < count; i++) {
        wideCurrent[i + 2] = current[i + 2] = random.nextInt(64) / 4f;
        wideReference[i + 5] = reference[i + 5] = random.nextInt(64) / 4f;
        sum += (current[i + 2] - reference[i + 5]) * (current[i + 2] - reference[i + 5]);
      }
      assertEquals(sum, SquaredDifferences.sum(current, 2, reference, 5, count));
      assertEquals(sum, SquaredDifferences.sum(wideCurrent, 2, wideReference, 5, count));
    }
  }

  @Test
  void channelsFollowTheirStride() {
    double[] sums = new double[3];
    SquaredDifferences.Channels channels = new SquaredDifferences.Channels(3, 2);
    for (int i = 0; i < 12; i++) {
      channels.add(sums, i, i, 0);
    }
    assertEquals(0 + 1 + 36 + 49, sums[0]);
    assertEquals(4 + 9 + 64 + 81, sums[1]);
    assertEquals(16 + 25 + 100 + 121, sums[2]);
  }

  @Test
  void combiningPartsEqualsOneRun() {
    Random random = new Random(1);
    WeightDifferenceAccumulator whole = new WeightDifferenceAccumulator(NOTHING);
    WeightDifferenceAccumulator first = new WeightDifferenceAccumulator(NOTHING);
    WeightDifferenceAccumulator second = new WeightDifferenceAccumulator(NOTHING);
    for (int t = 0; t < 9; t++) {
      long seed = random.nextLong();
      cycle(whole, new Random(seed));
      cycle(t < 4 ? first : second, new Random(seed));
    }
    assertEquals(whole.snapshot(), first.snapshot().combine(second.snapshot()));
  }

  @Test
  void goingOnFromASnapshotEqualsOneRun() {
    WeightDifferenceAccumulator whole = new WeightDifferenceAccumulator(NOTHING);
    WeightDifferenceAccumulator part = new WeightDifferenceAccumulator(NOTHING);
    for (int t = 0; t < 7; t++) {
      cycle(whole, new Random(t));
      cycle(part, new Random(t));
      String saved = part.snapshot().toJson();
      part = new WeightDifferenceAccumulator(WeightDifferences.fromJson(saved, "memory"));
    }
    assertEquals(whole.snapshot(), part.snapshot());
  }

  @Test
  void combiningIsAssociativeAndARunOfNoCyclesIsItsIdentity() {
    for (int seed = 0; seed < 20; seed++) {
      WeightDifferences a = run(seed, 1 + seed % 3);
      WeightDifferences b = run(seed + 100, seed % 2);
      WeightDifferences c = run(seed + 200, seed % 4);
      assertEquals(a.combine(b).combine(c), a.combine(b.combine(c)), "seed " + seed);
      assertEquals(a, a.combine(NOTHING));
      assertEquals(a, NOTHING.combine(a));
    }
  }

  @Test
  void combiningRefusesAnotherNetworkCycleOrReference() {
    WeightDifferences other =
        new WeightDifferences(
            DifferenceReference.INITIAL,
            TrainingCycle.epochs(1),
            0,
            ImmutableList.of(
                new LayerDifference(
                    "conv", false, ImmutableList.of(ParameterDifference.of("W", 5, 0, 0)))));
    assertEquals(
        "layers must be [conv[W:4], lstm[W:2/2, RW:6/2]], found [conv[W:5]]",
        message(() -> NOTHING.combine(other)));
    assertEquals(
        "reference must be INITIAL, found PREVIOUS_CYCLE",
        message(
            () ->
                NOTHING.combine(
                    new WeightDifferences(
                        DifferenceReference.PREVIOUS_CYCLE,
                        NOTHING.cycle(),
                        0,
                        NOTHING.layers()))));
    assertEquals(
        "cycle must be TrainingCycle[unit=EPOCH, length=1],"
            + " found TrainingCycle[unit=ITERATION, length=3]",
        message(
            () ->
                NOTHING.combine(
                    new WeightDifferences(
                        NOTHING.reference(), TrainingCycle.iterations(3), 0, NOTHING.layers()))));
  }

  @Test
  void aWeightThatIsNotFiniteMakesTheStatisticInfiniteForGood() {
    WeightDifferenceAccumulator accumulator = new WeightDifferenceAccumulator(NOTHING);
    accumulator.accept("conv", "W", new float[] {1, Float.NaN, 0, 0}, new float[] {1, 1, 1, 1});
    accumulator.accept("lstm", "W", Double.NaN, new double[] {1, Double.NaN});
    accumulator.accept("lstm", "RW", 0, new double[2]);
    accumulator.endCycle();
    cycle(accumulator, new Random(1));

    WeightDifferences seen = accumulator.snapshot();

    assertEquals(Double.POSITIVE_INFINITY, seen.statistic("conv"));
    assertEquals(Double.POSITIVE_INFINITY, seen.statistic("lstm", DifferenceAggregate.FINAL));
    ImmutableDoubleArray channels = seen.channelStatistics("lstm", "W", DifferenceAggregate.FINAL);
    assertTrue(Double.isFinite(channels.get(0)));
    assertEquals(Double.POSITIVE_INFINITY, channels.get(1));
    assertEquals(
        List.of(
            "layer conv had weights that are NaN or infinite",
            "layer lstm had weights that are NaN or infinite"),
        seen.warnings());
    assertEquals(seen, WeightDifferences.fromJson(seen.toJson(), "memory"));
    assertTrue(run(1, 2).warnings().isEmpty());
  }

  @Test
  void noCycleIsAnError() {
    String message =
        "no cycle of training was seen: a cycle is 1 epoch(s); train for longer, or choose a"
            + " shorter cycle";
    assertEquals(message, message(() -> NOTHING.statistic("conv")));
    assertEquals(message, message(() -> NOTHING.statistics(DifferenceAggregate.FINAL)));
    assertEquals(
        message, message(() -> NOTHING.channelStatistics("lstm", "W", DifferenceAggregate.FINAL)));
  }

  @Test
  void unknownNamesAreErrors() {
    assertEquals(
        "layer must be one of [conv, lstm], found dense",
        message(() -> run(1, 1).statistic("dense")));
    assertEquals(
        "parameter must be a weight of layer lstm[W:2/2, RW:6/2], found b",
        message(() -> run(1, 1).channelStatistics("lstm", "b", DifferenceAggregate.FINAL)));
  }

  @Test
  void anotherNetworkIsRefusedWithBothNamed() {
    run(1, 1).requireMatches(ImmutableMap.of("conv", 4L, "lstm", 8L));
    assertEquals(
        "network must be the one that was watched, with layer lstm of 8 weights,"
            + " found layer lstm of 9 weights",
        message(() -> NOTHING.requireMatches(Map.of("conv", 4L, "lstm", 9L))));
    assertEquals(
        "network must be the one that was watched, with layer conv of 4 weights,"
            + " found no layer conv among [lstm]",
        message(() -> NOTHING.requireMatches(Map.of("lstm", 8L))));
    assertEquals(
        "network must be the one that was watched, with no layer out among [conv, lstm],"
            + " found layer out of 3 weights",
        message(() -> NOTHING.requireMatches(ImmutableMap.of("conv", 4L, "lstm", 8L, "out", 3L))));
  }

  @Test
  void eachTensorIsGivenOncePerCycle() {
    WeightDifferenceAccumulator accumulator = new WeightDifferenceAccumulator(NOTHING);
    accumulator.accept("conv", "W", 1);
    assertEquals(
        "layer conv, parameter W was given twice in one cycle",
        message(() -> accumulator.accept("conv", "W", 1)));
    assertEquals(
        "layer lstm, parameter W was not given in this cycle", message(accumulator::endCycle));
    assertEquals(0, accumulator.snapshot().cycles());
    assertEquals(
        "channelSquares of layer lstm, parameter W must have 2 channels, found 0",
        message(() -> accumulator.accept("lstm", "W", 1)));
    assertEquals(
        "current of layer conv, parameter W must have 4 weights, found 3",
        message(() -> accumulator.accept("conv", "W", new float[3], new float[4])));
    assertEquals(
        "parameter must be a weight of layer conv, one of [W], found b",
        message(() -> accumulator.accept("conv", "b", 1)));
  }

  @Test
  void savedStatisticsComeBackEqual() {
    WeightDifferences seen = run(5, 3);
    assertEquals(seen, WeightDifferences.fromJson(seen.toJson(), "memory"));
    assertFalse(seen.toJson().contains("NaN"));
  }

  @Test
  void badStatisticsNameTheirSource() {
    String good = run(5, 3).toJson();
    assertTrue(bad(good.substring(0, 40)).startsWith("s.json: is not JSON: "));
    assertTrue(bad(good + "{}").startsWith("s.json: is not JSON: "));
    assertEquals("s.json: the statistics must be a JSON object, found []", bad("[]"));
    assertEquals("s.json: version must be 1, found nothing", bad("{}"));
    assertEquals(
        "s.json: version must be 1, found 2",
        bad(good.replace("\"version\" : 1", "\"version\" : 2")));
    assertEquals(
        "s.json: reference must be one of [INITIAL, PREVIOUS_CYCLE], found \"LAST\"",
        bad(good.replace("INITIAL", "LAST")));
    assertEquals(
        "s.json: cycles must not be negative, found -3",
        bad(good.replace("\"cycles\" : 3", "\"cycles\" : -3")));
    assertEquals(
        "s.json: cycles must be an integer, found 3.5",
        bad(good.replace("\"cycles\" : 3", "\"cycles\" : 3.5")));
    assertEquals(
        "s.json: length must be at least 1, found 0",
        bad(good.replace("\"length\" : 1", "\"length\" : 0")));
    assertEquals(
        "s.json: layers must have different names, found conv",
        bad(good.replace("\"lstm\"", "\"conv\"")));
    assertEquals(
        "s.json: weights of W must be at least 1, found 0",
        bad(good.replace("\"weights\" : 4", "\"weights\" : 0")));
    assertEquals(
        "s.json: squares must be a number, found \"NaN\"",
        bad(good.replaceFirst("\"squares\" : [0-9.]+", "\"squares\" : \"NaN\"")));
    assertEquals(
        "s.json: squares of W must not be negative or NaN, found -1.0",
        bad(good.replaceFirst("\"squares\" : [0-9.]+", "\"squares\" : -1")));
  }

  private static String bad(String json) {
    return String.valueOf(
        assertThrows(
                InvalidStatisticsException.class, () -> WeightDifferences.fromJson(json, "s.json"))
            .getMessage());
  }

  private static String message(org.junit.jupiter.api.function.Executable action) {
    return String.valueOf(assertThrows(RuntimeException.class, action).getMessage());
  }
}
