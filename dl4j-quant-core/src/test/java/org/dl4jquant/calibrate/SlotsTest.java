package org.dl4jquant.calibrate;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Optional;
import org.dl4jquant.dl4j.Layout;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

final class SlotsTest {
  private static final INDArray BY_STEP =
      Nd4j.createFromArray(new float[][] {{1, 0, 0}, {1, 1, 0}});

  private static boolean[] fit(Layout layout, INDArray mask, int count, long... shape) {
    return Slots.of(2, layout, shape, count).fit(mask).orElseThrow();
  }

  @Test
  void stepsOfChannelsFirst() {
    assertArrayEquals(
        new boolean[] {true, false, false, true, true, false},
        fit(Layout.AS_IN_DL4J, BY_STEP, 6, 2, 4, 3));
  }

  @Test
  void rowsRunOverTheExamplesFirst() {
    boolean[] rows = {true, true, false, true, false, false};
    assertArrayEquals(rows, fit(Layout.STEPS, BY_STEP, 6, 6, 4));
    INDArray vector = Nd4j.createFromArray(new float[] {1, 1, 0, 1, 0, 0}).reshape(6, 1);
    assertArrayEquals(rows, fit(Layout.STEPS, vector, 6, 6, 4));
    assertArrayEquals(
        fit(Layout.AS_IN_DL4J, BY_STEP, 6, 2, 4, 3), fit(Layout.AS_IN_DL4J, vector, 6, 2, 4, 3));
  }

  @Test
  void aStepMayHaveSeveralElements() {
    assertArrayEquals(
        new boolean[] {
          true, true, true, true, false, false, true, true, false, false, false, false
        },
        fit(Layout.FOLDED, BY_STEP, 12, 6, 2));
  }

  @Test
  void wholeExamplesAreMasked() {
    INDArray second = Nd4j.createFromArray(new float[] {0, 1}).reshape(2, 1);
    assertArrayEquals(
        new boolean[] {false, false, true, true}, fit(Layout.AS_IN_DL4J, second, 4, 2, 5, 2));
    assertArrayEquals(
        new boolean[] {false, false, true, true}, fit(Layout.CHANNELS_LAST, second, 4, 2, 2, 5));
  }

  @Test
  void imagesAreMaskedByRows() {
    INDArray mask = Nd4j.createFromArray(new float[] {1, 0, 1, 1}).reshape(2, 1, 2, 1);
    assertArrayEquals(
        new boolean[] {true, true, false, false, true, true, true, true},
        fit(Layout.AS_IN_DL4J, mask, 8, 2, 3, 2, 2));
  }

  @Test
  void whatDoesNotFitIsNotForced() {
    assertEquals(
        Optional.empty(), Slots.of(2, Layout.AS_IN_DL4J, new long[] {2, 4, 5}, 10).fit(BY_STEP));
    INDArray three = Nd4j.ones(3, 3);
    assertEquals(
        Optional.empty(), Slots.of(2, Layout.AS_IN_DL4J, new long[] {2, 4, 9}, 18).fit(three));
    INDArray image = Nd4j.ones(2, 1, 3, 1);
    assertEquals(
        Optional.empty(), Slots.of(2, Layout.AS_IN_DL4J, new long[] {2, 4, 2, 2}, 8).fit(image));
  }
}
