package org.dl4jquant.dl4j;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.dl4jquant.tensor.Tensor;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

final class TensorsTest {
  private static final float[] ROWS = {1, 2, 3, 4, 5, 6};

  @Test
  void elementsAreNumberedInRowMajorOrderWhateverTheArraysOrder() {
    INDArray rows = Nd4j.create(ROWS, new long[] {2, 3}, 'c');

    assertArrayEquals(ROWS, Tensors.of(rows).values());
    assertArrayEquals(ROWS, Tensors.of(rows.dup('f')).values());
    assertArrayEquals(ROWS, Tensors.of(rows.dup('f').transpose().dup().transpose()).values());
    assertArrayEquals(new float[] {1, 4, 2, 5, 3, 6}, Tensors.of(rows.transpose()).values());
    assertArrayEquals(new int[] {3, 2}, Tensors.of(rows.transpose()).shape());
  }

  @Test
  void viewsWithOffsetAndStridesAreRead() {
    INDArray base = Nd4j.arange(24).castTo(DataType.FLOAT).reshape('c', 4, 6);
    INDArray view = base.get(NDArrayIndex.interval(1, 3), NDArrayIndex.interval(1, 2, 6));

    assertArrayEquals(new float[] {7, 9, 11, 13, 15, 17}, Tensors.of(view).values());
  }

  @Test
  void scalarsHaveAnEmptyShape() {
    Tensor scalar = Tensors.of(Nd4j.scalar(3f));

    assertArrayEquals(new float[] {3}, scalar.values());
    assertEquals(0, scalar.rank());
  }

  @Test
  void everyFloatingPointTypeIsReadAndWritten() {
    Tensor tensor = Tensor.of(new float[] {0.5f, -1.25f, 3, 0, 7, -8}, 2, 3);
    for (DataType type : new DataType[] {DataType.FLOAT, DataType.DOUBLE, DataType.FLOAT16}) {
      INDArray target = Nd4j.create(type, new long[] {2, 3}, 'f');
      Tensors.copyInto(tensor, target);

      assertEquals(type, target.dataType());
      assertArrayEquals(tensor.values(), Tensors.of(target).values(), type.name());
    }
  }

  @Test
  void wholeNumbersAreRead() {
    INDArray whole = Nd4j.createFromArray(new int[][] {{1, -2, 3}, {4, 5, 16_777_216}});
    for (DataType type : new DataType[] {DataType.INT32, DataType.INT64}) {
      INDArray array = whole.castTo(type);
      assertArrayEquals(
          new float[] {1, 4, -2, 5, 3, 16_777_216},
          Tensors.of(array.transpose()).values(),
          type.name());
      float[] copy = new float[6];
      Tensors.copy(array, copy);
      assertArrayEquals(new float[] {1, -2, 3, 4, 5, 16_777_216}, copy, type.name());
    }
    assertArrayEquals(new float[] {1, 0}, Tensors.of(Nd4j.createFromArray(true, false)).values());
  }

  @Test
  void textAndOtherShapesAreRefused() {
    assertEquals(
        "array must hold numbers, found UTF8",
        assertThrows(IllegalArgumentException.class, () -> Tensors.of(Nd4j.create("a", "b")))
            .getMessage());
    assertEquals(
        "source must have shape [3, 2], found Tensor[2, 3]",
        assertThrows(
                IllegalArgumentException.class,
                () -> Tensors.copyInto(Tensor.of(ROWS, 2, 3), Nd4j.create(3, 2)))
            .getMessage());
  }

  @Test
  void anArrayMadeOfATensorIsACopy() {
    Tensor tensor = Tensor.of(ROWS.clone(), 2, 3);
    INDArray array = Tensors.toArray(tensor);
    array.addi(1);

    assertArrayEquals(ROWS, tensor.values());
    assertEquals(2, array.getFloat(0, 0));
  }

  @Test
  void aDenseArrayIsReadAsItLiesInMemory() {
    INDArray base = Nd4j.arange(24).castTo(DataType.FLOAT).reshape('c', 2, 3, 1, 4);
    int[][] orders = {{0, 1, 2, 3}, {0, 3, 1, 2}, {3, 1, 0, 2}, {2, 1, 3, 0}};
    for (int[] order : orders) {
      INDArray array = base.permute(order);
      float[] buffer = new float[30];
      assertTrue(Tensors.isDense(array));
      Tensors.copyBuffer(array, buffer);
      for (long i = 0; i < array.size(0); i++) {
        for (long j = 0; j < array.size(1); j++) {
          long index = i * array.stride(0) + j * array.stride(1);
          assertEquals(array.getFloat(i, j, 0, 0), buffer[(int) index]);
        }
      }
    }
    assertTrue(Tensors.isDense(base.dup('f')));
    assertFalse(Tensors.isDense(base.get(NDArrayIndex.interval(1, 2))));
    assertFalse(
        Tensors.isDense(base.reshape(6, 4).get(NDArrayIndex.all(), NDArrayIndex.interval(0, 2))));
    assertFalse(Tensors.isDense(Nd4j.ones(3, 1).broadcast(3, 4).castTo(DataType.DOUBLE)));
  }
}
