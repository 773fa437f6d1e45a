package org.dl4jquant.format;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.google.common.primitives.ImmutableIntArray;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

final class GranularityTest {
  @Test
  void aTensorIsOneRun() {
    assertEquals(1, Granularity.perTensor().channels(2, 3, 4));
    assertEquals(
        new ChannelRuns(1, ImmutableIntArray.of(0), 24), Granularity.perTensor().runs(2, 3, 4));
    assertArrayEquals(new int[] {0}, Granularity.perTensor().channelOfEach());
  }

  @Test
  void theFirstAxisGivesLongRunsAndTheLastShortOnes() {
    assertEquals(
        new ChannelRuns(1, ImmutableIntArray.of(0, 1), 12),
        Granularity.perChannel(0).runs(2, 3, 4));
    assertEquals(
        new ChannelRuns(2, ImmutableIntArray.of(0, 1, 2), 4),
        Granularity.perChannel(1).runs(2, 3, 4));
    assertEquals(
        new ChannelRuns(6, ImmutableIntArray.of(0, 1, 2, 3), 1),
        Granularity.perChannel(2).runs(2, 3, 4));
  }

  @Test
  void goldenChannelsOfTwoAxes() {
    Granularity outer = Granularity.perChannel(0, 2);
    assertEquals(4, outer.channels(2, 3, 2));
    assertArrayEquals(new int[] {0, 1, 0, 1, 0, 1, 2, 3, 2, 3, 2, 3}, outer.channelOfEach(2, 3, 2));
    assertArrayEquals(
        new int[] {0, 0, 1, 1, 2, 2, 3, 3}, Granularity.perChannel(0, 1).channelOfEach(2, 2, 2));
  }

  @Test
  void channelsOfEachFollowTheDefinition() {
    Random random = new Random(1);
    for (int i = 0; i < 2000; i++) {
      int[] shape = random.ints(1 + random.nextInt(4), 0, 5).toArray();
      int[] axes = axes(random, shape.length);
      Granularity granularity = Granularity.perChannel(axes);
      String what = Arrays.toString(shape) + " " + granularity;
      assertArrayEquals(byDefinition(shape, axes), granularity.channelOfEach(shape), what);
      assertEquals(
          Arrays.stream(axes).map(axis -> shape[axis]).reduce(1, (a, b) -> a * b),
          granularity.channels(shape),
          what);
    }
  }

  private static int[] axes(Random random, int rank) {
    int[] axes;
    do {
      int chosen = random.nextInt(1 << rank);
      axes = IntStream.range(0, rank).filter(axis -> (chosen >> axis & 1) == 1).toArray();
    } while (axes.length == 0);
    return axes;
  }

  private static int[] byDefinition(int[] shape, int[] axes) {
    int[] channels = new int[Arrays.stream(shape).reduce(1, (a, b) -> a * b)];
    for (int element = 0; element < channels.length; element++) {
      int[] coordinates = new int[shape.length];
      int rest = element;
      for (int axis = shape.length - 1; axis >= 0; axis--) {
        coordinates[axis] = rest % shape[axis];
        rest /= shape[axis];
      }
      for (int axis : axes) {
        channels[element] = channels[element] * shape[axis] + coordinates[axis];
      }
    }
    return channels;
  }

  @Test
  void granularitiesWithEqualAxesAreEqual() {
    assertEquals(Granularity.perChannel(0, 2), Granularity.perChannel(0, 2));
    assertEquals("per channel of axis 0, 2", Granularity.perChannel(0, 2).toString());
    assertEquals("per tensor", Granularity.perTensor().toString());
  }

  @Test
  void wrongAxesAreRefused() {
    assertMessage("axes must name at least one axis, found []", Granularity::perChannel);
    assertMessage(
        "axes must be ascending and not negative, found [1, 0]",
        () -> Granularity.perChannel(1, 0));
    assertMessage(
        "axes must be ascending and not negative, found [1, 1]",
        () -> Granularity.perChannel(1, 1));
    assertMessage(
        "axes must be ascending and not negative, found [-1]", () -> Granularity.perChannel(-1));
    assertMessage(
        "axes must exist in shape [2, 3], found [2]", () -> Granularity.perChannel(2).runs(2, 3));
    assertMessage(
        "axes must exist in shape [2, 3], found [0, 2]",
        () -> Granularity.perChannel(0, 2).channels(2, 3));
  }

  @Test
  void wrongShapesAreRefused() {
    for (Granularity granularity :
        new Granularity[] {Granularity.perTensor(), Granularity.perChannel(0)}) {
      assertMessage(
          "shape must have no negative size, found [2, -1]", () -> granularity.channels(2, -1));
      assertMessage(
          "shape must have no negative size, found [2, -1]", () -> granularity.runs(2, -1));
      assertThrows(ArithmeticException.class, () -> granularity.runs(1 << 16, 1 << 15));
    }
  }

  private static void assertMessage(String message, Executable executable) {
    assertEquals(message, assertThrows(IllegalArgumentException.class, executable).getMessage());
  }
}
