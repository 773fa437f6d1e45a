package org.dl4jquant.examples;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.dataset.DataSet;

final class BundledDataTest {
  @Test
  void digitsComeInThreePartsOfTheStatedShape() {
    Split split = Digits.images(1);

    assertArrayEquals(new long[] {1077, 1, 8, 8}, split.train().getFeatures().shape());
    assertArrayEquals(new long[] {360, 1, 8, 8}, split.validation().getFeatures().shape());
    assertArrayEquals(new long[] {360, 1, 8, 8}, split.test().getFeatures().shape());
    assertArrayEquals(new long[] {360, 10}, split.test().getLabels().shape());
    assertEquals(1.0, split.train().getFeatures().maxNumber().doubleValue());
    assertEquals(1077.0, split.train().getLabels().sumNumber().doubleValue());
  }

  @Test
  void theSeedDecidesTheSplit() {
    assertEquals(Digits.vectors(3).test(), Digits.vectors(3).test());
    assertNotEquals(Digits.vectors(3).test(), Digits.vectors(4).test());
  }

  @Test
  void sequencesHaveTheRowsOfTheImageAsTimeSteps() {
    DataSet images = Digits.images(1).test();
    DataSet sequences = Digits.sequences(1).test();

    assertArrayEquals(new long[] {360, 8, 8}, sequences.getFeatures().shape());
    for (int row = 0; row < 8; row++) {
      for (int column = 0; column < 8; column++) {
        assertEquals(
            images.getFeatures().getFloat(5, 0, row, column),
            sequences.getFeatures().getFloat(5, column, row));
      }
    }
  }

  @Test
  void fashionIsBalancedAndTheTestFilesStayApart() {
    Split split = FashionMini.images(1);

    assertArrayEquals(new long[] {1600, 1, 28, 28}, split.train().getFeatures().shape());
    assertArrayEquals(new long[] {400, 1, 28, 28}, split.validation().getFeatures().shape());
    assertArrayEquals(new long[] {1000, 1, 28, 28}, split.test().getFeatures().shape());
    for (int c = 0; c < FashionMini.CLASSES; c++) {
      assertEquals(100.0, split.test().getLabels().getColumn(c).sumNumber().doubleValue());
    }
    assertEquals(FashionMini.images(2).test(), split.test());
  }

  @Test
  void batchesKeepTheOrderAndShufflingKeepsTheExamples() {
    DataSet part = Split.first(Digits.vectors(1).test(), 50);

    DataSet inOrder = Split.batches(part, 50).next();
    DataSet shuffled = Split.shuffledBatches(part, 50, 9).next();

    assertEquals(part.getFeatures(), inOrder.getFeatures());
    assertNotEquals(part.getFeatures(), shuffled.getFeatures());
    assertEquals(rows(part), rows(shuffled));
  }

  private static Set<String> rows(DataSet part) {
    Set<String> rows = new HashSet<>();
    for (int i = 0; i < part.numExamples(); i++) {
      rows.add(part.getFeatures().getRow(i).toString());
    }
    return rows;
  }
}
