package org.dl4jquant.examples;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;
import org.nd4j.linalg.factory.Nd4j;

final class NetworksTest {
  @Test
  void leNetHasItsPublishedSize() {
    assertEquals(431_080, Networks.leNet(28, 10, 1).numParams());
  }

  @Test
  void everyNetworkClassifies() {
    long[] twoRows = {2, 10};
    assertArrayEquals(twoRows, Networks.plainCnn(8, 10, 1).output(Nd4j.rand(2, 1, 8, 8)).shape());
    assertArrayEquals(
        twoRows, Networks.batchNormCnn(8, 10, 1).output(Nd4j.rand(2, 1, 8, 8)).shape());
    assertArrayEquals(
        twoRows, Networks.residual(8, 10, 1).outputSingle(Nd4j.rand(2, 1, 8, 8)).shape());
    assertArrayEquals(twoRows, Networks.mlp(64, 10, 1).output(Nd4j.rand(2, 64)).shape());
    assertArrayEquals(twoRows, Networks.deepMlp(64, 10, 1).output(Nd4j.rand(2, 64)).shape());
    assertArrayEquals(twoRows, Networks.lstm(8, 10, 1).output(Nd4j.rand(2, 8, 8)).shape());
  }

  @Test
  void theSeedDecidesTheWeights() {
    assertEquals(Networks.mlp(64, 10, 7).params(), Networks.mlp(64, 10, 7).params());
  }
}
