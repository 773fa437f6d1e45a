package org.dl4jquant.precision;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class OutputClassPolicyTest {
  private static final OutputClassPolicy POLICY = OutputClassPolicy.LOG2_BOUND;

  @ParameterizedTest
  @CsvSource({"1,0", "2,8", "10,8", "129,8", "130,16", "1000,16", "32769,16", "32770,32"})
  void snapsTheBound(int classes, int bits) {
    assertEquals(bits, POLICY.bits(new OutputHead("out", classes, true)));
    assertEquals(0, POLICY.bits(new OutputHead("out", classes, false)));
  }

  @ParameterizedTest
  @CsvSource({
    "2,2",
    "3,2",
    "10,5",
    "20,6",
    "100,8",
    "129,8",
    "130,9",
    "200,9",
    "1000,11",
    "10000,15",
    "21841,16"
  })
  void theBoundIsThatOfTheTable(int classes, int bits) {
    assertEquals(bits, POLICY.bound(new OutputHead("out", classes, true)));
    assertEquals(bits + 1, POLICY.withMargin(1).bound(new OutputHead("out", classes, true)));
  }

  @Test
  void aHeadIsIneligibleOnlyBelowItsOwnBound() {
    OutputHead two = new OutputHead("two", 2, true);
    OutputHead ten = new OutputHead("ten", 10, true);
    assertEquals(Set.of("ten"), POLICY.ineligible(List.of(two, ten), 4));
    assertEquals(Set.of(), POLICY.ineligible(List.of(two, ten), 5));
  }

  @Test
  void raisesOnlyHeadsBelowTheirBound() {
    List<OutputHead> heads =
        List.of(new OutputHead("a", 1000, true), new OutputHead("b", 1000, false));
    PrecisionPlan plan = PrecisionPlan.uniform(LayerPrecision.of(8, 8));
    assertEquals(plan.with("a", LayerPrecision.of(16, 16)), POLICY.raise(plan, heads));
    assertEquals(Set.of("a"), POLICY.ineligible(heads, 4));
    assertEquals(Map.of("a", 11), POLICY.bounds(heads));
  }

  @Test
  void aHeadThatHasItsBoundStaysAsItIs() {
    List<OutputHead> ten = List.of(new OutputHead("ten", 10, true));
    PrecisionPlan five = PrecisionPlan.uniform(LayerPrecision.weights(5));
    PrecisionPlan four = PrecisionPlan.uniform(LayerPrecision.weights(4));
    assertEquals(five, POLICY.raise(five, ten));
    assertEquals(four.with("ten", LayerPrecision.weights(8)), POLICY.raise(four, ten));
    assertEquals(
        five.with("ten", LayerPrecision.weights(8)), POLICY.withMargin(1).raise(five, ten));
  }

  @ParameterizedTest
  @CsvSource({"2,5", "3,6", "4,6", "10,8", "11,8", "100,11", "1000,14"})
  void proportionalWidthsGrowWithTheOctaves(int classes, int bits) {
    OutputClassPolicy policy = OutputClassPolicy.proportional(4, 1);
    assertEquals(bits, policy.bound(new OutputHead("out", classes, true)));
    assertEquals(0, policy.bound(new OutputHead("out", classes, false)));
  }

  @Test
  void proportionalWidthsThatGrowTooSlowlyOrStartTooFarAreRefused() {
    assertEquals(2, ClassWidth.proportional(-32, 1).bits(10));
    assertEquals(
        "bitsPerOctave must be above 0 and at most 8, found 0.0",
        assertThrows(IllegalArgumentException.class, () -> OutputClassPolicy.proportional(1, 0))
            .getMessage());
    assertEquals(
        "offset must be between -32 and 32, found NaN",
        assertThrows(
                IllegalArgumentException.class, () -> OutputClassPolicy.proportional(Double.NaN, 1))
            .getMessage());
    assertEquals(
        "margin must be between 0 and 16, found 17",
        assertThrows(IllegalArgumentException.class, () -> POLICY.withMargin(17)).getMessage());
  }

  @Test
  void moreClassesNeverAskForFewerBits() {
    for (ClassWidth rule : List.of(ClassWidth.log2Bound(), ClassWidth.proportional(1.5, 0.7))) {
      int before = 0;
      for (int classes = 2; classes < 100_000; classes++) {
        int bits = rule.bits(classes);
        assertTrue(bits >= before, rule + " at " + classes);
        before = bits;
      }
    }
  }
}
