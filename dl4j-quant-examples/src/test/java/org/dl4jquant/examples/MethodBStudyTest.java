package org.dl4jquant.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.dl4jquant.examples.OrderTable.Row;
import org.junit.jupiter.api.Test;

/** A short run: what is compared; what comes out of it is the long run's business. */
final class MethodBStudyTest {
  @Test
  void comparesTheOrdersOfEachStatisticAtEachWidth() {
    TrainingSubject subject =
        new TrainingSubject(
            "mlp", seed -> Networks.mlp(64, Digits.CLASSES, seed), Digits::vectors, 2, 1);

    OrderTable table = MethodBStudy.run(List.of(subject), List.of(1L));

    assertEquals(3 * 4, table.rows().size());
    for (Row row : table.rows()) {
      assertEquals(3, row.layers());
      assertTrue(row.floatAccuracy() > 0.5);
      assertTrue(row.ascending().layers() <= 3 && row.descending().layers() <= 3);
      assertTrue(row.random().share() >= 0 && row.random().share() <= 1);
    }
    assertEquals(
        List.of("initial", "initial, normalized", "trained", "trained, normalized"),
        table.rows().subList(0, 4).stream().map(row -> row.setting().statistic()).toList());
  }
}
