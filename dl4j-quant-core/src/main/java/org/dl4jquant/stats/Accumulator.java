package org.dl4jquant.stats;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import java.util.function.DoubleConsumer;

/**
 * A statistic that sees one value at a time and can be merged with what others have seen.
 *
 * <p>Combining is associative and commutative up to the rounding stated by the implementation, and
 * an accumulator that has seen nothing is its identity. Accumulators are not thread-safe; give each
 * thread its own and combine them.
 *
 * @param <A> the accumulator itself
 * @param <S> the immutable result
 */
public interface Accumulator<A extends Accumulator<A, S>, S> extends DoubleConsumer {
  /** Adds everything that {@code other} has seen and returns this. */
  @CanIgnoreReturnValue
  A combine(A other);

  /** Returns what has been seen so far, immutable. */
  S snapshot();
}
