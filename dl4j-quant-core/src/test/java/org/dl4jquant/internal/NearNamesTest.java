package org.dl4jquant.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.junit.jupiter.api.Test;

class NearNamesTest {
  @Test
  void theNearestComesFirst() {
    assertEquals(
        List.of("conv1", "conv2"), NearNames.of("conv11", List.of("dense", "conv2", "conv1")));
    assertEquals(List.of("dense"), NearNames.of("densse", List.of("conv1", "dense")));
  }

  @Test
  void lettersCompareWithoutCaseAndPartsAreFound() {
    assertEquals(List.of("Output"), NearNames.of("OUTPUT", List.of("in", "Output")));
    assertEquals(List.of("block1_add"), NearNames.of("add", List.of("block1_add", "dense_7")));
  }

  @Test
  void whatIsFarIsNotNamed() {
    assertEquals(List.of(), NearNames.of("encoder", List.of("head", "x")));
    assertEquals("", NearNames.hint("encoder", List.of("head", "x")));
    assertEquals("; near: a1, a2, a3", NearNames.hint("a", List.of("a1", "a2", "a3", "a4")));
  }
}
