package org.dl4jquant.strategy;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

final class StrategyNamesTest {
  @Test
  void aNamePrintsAsItself() {
    for (String name :
        new String[] {
          "max-abs",
          "percentile:99.9",
          "percentile:100.0",
          "sigma:6.0",
          "mse",
          "kl",
          "pdf:kurtosis",
          "pdf:refined",
          "channel-statistics",
          "channel-statistics:laplace"
        }) {
      assertEquals(name, FormatStrategy.named(name).toString());
    }
    assertEquals("percentile:99.99", FormatStrategy.named("percentile").toString());
    assertEquals("sigma:4.0", FormatStrategy.named("sigma").toString());
    for (String name : FormatStrategy.names()) {
      String full = FormatStrategy.named(name).toString();
      assertEquals(full, FormatStrategy.named(full).toString());
    }
  }

  @Test
  void anUnknownNameListsTheKnownOnes() {
    for (String name : new String[] {"entropy", "", "mse:3", "percentile:", "sigma:four", "MSE"}) {
      FormatStrategyTest.assertMessage(
          "strategy must be one of max-abs, percentile, sigma, mse, kl, pdf, channel-statistics,"
              + " auto, or as percentile:99.9, sigma:6, pdf:kurtosis, pdf:refined or"
              + " channel-statistics:laplace, found '"
              + name
              + "'",
          () -> FormatStrategy.named(name));
    }
    FormatStrategyTest.assertMessage(
        "percent must be greater than 0 and at most 100, found 101.0",
        () -> FormatStrategy.named("percentile:101"));
  }
}
