package org.dl4jquant.stats;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Test;

/** The laws of every {@link Accumulator}. */
abstract class AccumulatorContract<A extends Accumulator<A, S>, S> {
  /** Floats of many magnitudes and both signs, with zeros, denormals and what is not finite. */
  static final double[] VALUES = values();

  private static double[] values() {
    Random random = new Random(7);
    double[] values = new double[1000];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) (random.nextGaussian() * Math.scalb(1.0, random.nextInt(12) - 6));
    }
    values[0] = Float.MIN_VALUE;
    values[1] = -Float.MIN_VALUE;
    values[100] = 0;
    values[200] = -0.0;
    values[332] = Double.NaN;
    values[333] = Double.NEGATIVE_INFINITY;
    values[999] = Double.POSITIVE_INFINITY;
    return values;
  }

  abstract A create();

  /** Asserts that two results are the same as far as the accumulator promises. */
  void assertSame(S expected, S actual, String when) {
    Assertions.assertEquals(expected, actual, when);
  }

  final A of(double... values) {
    A accumulator = create();
    Arrays.stream(values).forEach(accumulator);
    return accumulator;
  }

  @Test
  void combiningPartsEqualsOnePass() {
    for (int cut : new int[] {0, 1, 2, 333, 999, 1000}) {
      A left = of(Arrays.copyOfRange(VALUES, 0, cut));
      A right = of(Arrays.copyOfRange(VALUES, cut, VALUES.length));
      assertSame(of(VALUES).snapshot(), left.combine(right).snapshot(), "cut at " + cut);
    }
  }

  @Test
  void combiningIsAssociativeAndCommutative() {
    A onesFirst = part(0).combine(part(1)).combine(part(2));
    A lastsFirst = part(0).combine(part(1).combine(part(2)));
    A swapped = part(2).combine(part(0)).combine(part(1));
    assertSame(onesFirst.snapshot(), lastsFirst.snapshot(), "associative");
    assertSame(onesFirst.snapshot(), swapped.snapshot(), "commutative");
  }

  private A part(int third) {
    return of(Arrays.copyOfRange(VALUES, third * 333, third == 2 ? 1000 : (third + 1) * 333));
  }

  @Test
  void theOrderOfValuesDoesNotMatter() {
    double[] reversed = new double[VALUES.length];
    for (int i = 0; i < reversed.length; i++) {
      reversed[i] = VALUES[VALUES.length - 1 - i];
    }
    double[] sorted = VALUES.clone();
    Arrays.sort(sorted);
    assertSame(of(VALUES).snapshot(), of(reversed).snapshot(), "reversed");
    assertSame(of(VALUES).snapshot(), of(sorted).snapshot(), "sorted");
  }

  @Test
  void emptyIsTheIdentity() {
    Assertions.assertEquals(of(VALUES).snapshot(), of(VALUES).combine(create()).snapshot());
    Assertions.assertEquals(of(VALUES).snapshot(), create().combine(of(VALUES)).snapshot());
    Assertions.assertEquals(create().snapshot(), create().combine(create()).snapshot());
  }

  @Test
  void combiningLeavesTheOtherAlone() {
    A other = of(VALUES);
    A self = of(1, 1e6).combine(other);
    self.accept(-1e7);
    Assertions.assertEquals(of(VALUES).snapshot(), other.snapshot());
  }

  @Test
  void combiningWithItselfCountsTwice() {
    A twice = of(VALUES).combine(of(VALUES));
    A self = of(VALUES);
    assertSame(twice.snapshot(), self.combine(self).snapshot(), "itself");
  }

  @Test
  void snapshotDoesNotMove() {
    A accumulator = of(1, -2);
    S before = accumulator.snapshot();
    accumulator.accept(1000);
    Assertions.assertEquals(of(1, -2).snapshot(), before);
    Assertions.assertNotEquals(before, accumulator.snapshot());
  }
}
