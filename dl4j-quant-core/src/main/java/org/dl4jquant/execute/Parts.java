package org.dl4jquant.execute;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;

/** Runs the parts of a job on the calling thread and, if they are free, some of the common pool. */
final class Parts {
  private final int count;
  private final IntConsumer body;
  private final AtomicInteger next = new AtomicInteger();
  private final CountDownLatch done;
  private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();

  private Parts(int count, IntConsumer body) {
    this.count = count;
    this.body = body;
    this.done = new CountDownLatch(count);
  }

  /**
   * Calls {@code body} for 0 to {@code count - 1}, on at most {@code parallelism} threads at once.
   * The first exception is thrown after all parts that had begun have ended.
   */
  static void run(int count, int parallelism, IntConsumer body) {
    Parts parts = new Parts(count, body);
    for (int helper = 1; helper < Math.min(parallelism, count); helper++) {
      ForkJoinPool.commonPool().execute(parts::work);
    }
    parts.work();
    parts.await();
  }

  private void work() {
    for (int part = next.getAndIncrement(); part < count; part = next.getAndIncrement()) {
      try {
        if (failure.get() == null) {
          body.accept(part);
        }
      } catch (RuntimeException | Error e) {
        failure.compareAndSet(null, e);
      } finally {
        done.countDown();
      }
    }
  }

  private void await() {
    boolean interrupted = false;
    while (true) {
      try {
        done.await();
        break;
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    Throwable thrown = failure.get();
    if (thrown instanceof RuntimeException exception) {
      throw exception;
    }
    if (thrown instanceof Error error) {
      throw error;
    }
  }
}
