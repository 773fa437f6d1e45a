package org.dl4jquant.finetune;

import java.io.Serializable;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The sum of the gradients of some steps. Thread-safe. */
final class GatheredGradient implements Serializable {
  private static final long serialVersionUID = 1L;

  private double @Nullable [] sum;

  synchronized void add(double[] more) {
    double[] all = more.clone();
    if (sum != null) {
      for (int i = 0; i < all.length; i++) {
        all[i] += sum[i];
      }
    }
    sum = all;
  }

  /** Returns the sum and begins anew; empty if nothing was added. */
  synchronized Optional<double[]> take() {
    Optional<double[]> taken = Optional.ofNullable(sum);
    sum = null;
    return taken;
  }
}
