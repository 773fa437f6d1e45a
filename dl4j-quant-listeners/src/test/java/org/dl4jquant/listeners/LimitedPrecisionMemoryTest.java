package org.dl4jquant.listeners;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import org.bytedeco.javacpp.Pointer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.format.FixedPointFormat;
import org.dl4jquant.update.FineWeights;
import org.dl4jquant.update.UpdateRule;
import org.dl4jquant.update.ValueBuffer;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.learning.config.Sgd;

/** Counts what a carried weight costs: 8 bytes of the heap, and nothing else that grows with it. */
final class LimitedPrecisionMemoryTest {
  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();
  private static final long NOT_PER_WEIGHT = 1 << 20;

  private static long allocated() {
    return THREADS.getThreadAllocatedBytes(Thread.currentThread().getId());
  }

  /** Returns the native memory in use, garbage of other tests collected, which is freed late. */
  private static long settledNativeBytes() throws InterruptedException {
    long before = Long.MAX_VALUE;
    for (long now = Pointer.totalBytes(); now < before; now = Pointer.totalBytes()) {
      before = now;
      System.gc();
      Thread.sleep(100);
    }
    return before;
  }

  @Test
  void attachingTakesEightBytesPerWeight() throws InterruptedException {
    int width = 2048;
    MultiLayerNetwork network =
        new MultiLayerNetwork(
            TestNetworks.configuration(new Sgd(0.1))
                .list()
                .layer(TestNetworks.dense(TestNetworks.INPUTS, width).build())
                .layer(TestNetworks.dense(width, width).build())
                .layer(TestNetworks.output(width))
                .build());
    network.init();
    long weights = (long) width * (TestNetworks.INPUTS + width + TestNetworks.CLASSES);
    ResidualGradientListener listener = ResidualGradientListener.builder().build();
    long nativeBytes = settledNativeBytes();
    long heap = allocated();
    listener.attachTo(network);
    heap = allocated() - heap;
    assertEquals(nativeBytes, Pointer.totalBytes(), "no native memory");
    assertTrue(heap >= 8 * weights, "found " + heap);
    assertTrue(heap <= 8 * weights + NOT_PER_WEIGHT, "found " + heap);
  }

  @Test
  void aStepTakesNoMemoryThatGrowsWithTheWeights() {
    float[] weights = new float[1 << 21];
    ValueBuffer updates = ValueBuffer.of(new float[weights.length]);
    FineWeights fine =
        FineWeights.start(
            UpdateRule.residual(FixedPointFormat.signed(8, 6)), ValueBuffer.of(weights));
    fine.subtract(updates, ValueBuffer.of(weights));
    long heap = allocated();
    fine.subtract(updates, ValueBuffer.of(weights));
    heap = allocated() - heap;
    assertTrue(heap <= NOT_PER_WEIGHT, "found " + heap);
  }
}
