package org.dl4jquant.precision;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
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
    assertEquals(bits + 1, new OutputClassPolicy(1).bound(new OutputHead("out", classes, true)));
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
    assertEquals(plan.with("a", LayerPrecision.of(16, 8)), POLICY.raise(plan, heads));
    assertEquals(Set.of("a"), POLICY.ineligible(heads, 4));
  }
}
