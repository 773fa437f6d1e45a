package org.dl4jquant.tensor;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;

final class TensorTest {
  @Test
  void elementsAreKeptAndTheShapeIsCopied() {
    float[] values = new float[6];
    int[] shape = {2, 3};
    Tensor tensor = Tensor.of(values, shape);
    shape[0] = 9;
    tensor.shape()[1] = 9;
    assertSame(values, tensor.values());
    assertArrayEquals(new int[] {2, 3}, tensor.shape());
    assertEquals(3, tensor.size(1));
    assertEquals(2, tensor.rank());
    assertEquals("Tensor[2, 3]", tensor.toString());
    assertSame(values, tensor.reshape(3, 2).values());
  }

  @Test
  void elementsAreTheProductOfTheSizes() {
    assertEquals(1, Tensor.elements());
    assertEquals(0, Tensor.elements(5, 0, 7));
    assertEquals(1L << 40, Tensor.elements(1 << 20, 1 << 20));
    assertThrows(ArithmeticException.class, () -> Tensor.zeros(1 << 20, 1 << 20));
    assertEquals(1, Tensor.zeros().length());
  }

  @Test
  void shapesThatDoNotFitAreRefused() {
    assertEquals(
        "values must have as many elements as shape [2, 2], found 3",
        assertThrows(IllegalArgumentException.class, () -> Tensor.of(new float[3], 2, 2))
            .getMessage());
    assertEquals(
        "shape must have no negative size, found [-1, -3]",
        assertThrows(IllegalArgumentException.class, () -> Tensor.of(new float[3], -1, -3))
            .getMessage());
  }
}
