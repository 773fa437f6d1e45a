package org.dl4jquant.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.common.collect.ImmutableList;
import org.dl4jquant.examples.BudgetWalk.Reach;
import org.dl4jquant.examples.OrderTable.Row;
import org.dl4jquant.examples.OrderTable.Setting;
import org.junit.jupiter.api.Test;

final class OrderTableTest {
  private static final Setting SETTING = new Setting("net", 3, "initial");

  @Test
  void tellsMeanSpreadAndInHowManySeedsAscendingOrderHolds() {
    String text =
        new OrderTable(ImmutableList.of(row(3, 0.5, 2), row(1, 0.25, 2), row(2, 0.75, 2)))
            .markdown();

    String counts =
        "| net | 90.0 ± 0.0 | 4 | 3 | initial | 2.0 ± 1.0 | 2.0 ± 0.0 | 1.5 ± 0.0 | 2 of 3"
            + " | 2 of 3 |\n";
    String shares =
        "| net | 90.0 ± 0.0 | 4 | 3 | initial | 50 ± 25 | 50 ± 0 | 30 ± 0 | 2 of 3 | 2 of 3 |\n";
    assertTrue(text.contains(counts), text);
    assertTrue(text.contains(shares), text);
    assertTrue(text.indexOf(counts) < text.indexOf(shares));
  }

  @Test
  void settingsKeepTheirOrderAndOneSeedHasNoSpread() {
    Row other =
        new Row(new Setting("a net", 4, "trained"), 1, 1, reach(1, 1), reach(1, 1), reach(1, 1));
    String text = new OrderTable(ImmutableList.of(row(3, 1, 1), other)).markdown();
    assertTrue(text.indexOf("| net |") < text.indexOf("| a net |"), text);
    assertEquals(2, text.split("\\| a net \\| 100.0 ± 0.0 \\|", -1).length - 1);
  }

  private static Row row(int layers, double share, int descending) {
    return new Row(SETTING, 4, 0.9, reach(layers, share), reach(descending, 0.5), reach(1.5, 0.3));
  }

  private static Reach reach(double layers, double share) {
    return new Reach(layers, share);
  }
}
