package org.dl4jquant.update;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.function.Supplier;
import org.dl4jquant.format.FixedPointFormat;
import org.junit.jupiter.api.Test;

final class UpdateRuleTest {
  private static final UpdateRule RULE = UpdateRule.accumulated(FixedPointFormat.signed(8, 6));

  private static void refused(String message, Supplier<UpdateRule> rule) {
    assertEquals(message, assertThrows(IllegalArgumentException.class, rule::get).getMessage());
  }

  @Test
  void defaultsAreTwelveDigitsEveryStepAndOneStepOfTheWeight() {
    assertEquals(12, RULE.extraBits());
    assertEquals(18, RULE.residualFractionalLength());
    assertEquals(1, RULE.period());
    assertEquals(0, RULE.thresholdExponent());
    assertEquals(12, UpdateRule.residual(FixedPointFormat.signed(24, 20)).extraBits());
  }

  @Test
  void everyComponentIsChecked() {
    refused(
        "weightFormat must be signed, found UQ2.6 (8 bit)",
        () -> UpdateRule.accumulated(FixedPointFormat.unsigned(8, 6)));
    refused(
        "weightFormat.bitWidth must be between 2 and 24, found 25",
        () -> UpdateRule.accumulated(FixedPointFormat.signed(25, 6)));
    refused("extraBits must be between 1 and 30, found 0", () -> RULE.withExtraBits(0));
    refused(
        "2 * bitWidth + extraBits must be at most 60, found 61",
        () -> UpdateRule.accumulated(FixedPointFormat.signed(24, 6)).withExtraBits(13));
    refused(
        "thresholdExponent must be between 0 and 6 with TRUNC_THRESHOLD, found 7",
        () -> RULE.withThresholdExponent(7));
    refused(
        "thresholdExponent must be between 0 and 0 with FLOOR, found 1",
        () -> RULE.withReadOut(ReadOut.FLOOR).withThresholdExponent(1));
    refused("period must be at least 1, found 0", () -> RULE.withPeriod(0));
    refused(
        "period must be 1 with NAIVE_ROUNDING, found 2",
        () -> RULE.withReadOut(ReadOut.NAIVE_ROUNDING).withPeriod(2));
  }
}
