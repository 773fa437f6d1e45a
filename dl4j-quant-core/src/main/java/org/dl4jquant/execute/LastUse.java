package org.dl4jquant.execute;

import java.util.function.BiFunction;
import org.dl4jquant.graph.Shape;
import org.jspecify.annotations.Nullable;

/** Keeps what was last derived from the shapes of a step's input and output. Thread-safe. */
final class LastUse<V> {
  private final BiFunction<Shape, Shape, V> derive;
  private volatile @Nullable Entry<V> last;

  LastUse(BiFunction<Shape, Shape, V> derive) {
    this.derive = derive;
  }

  private record Entry<V>(Shape in, Shape out, V value) {}

  V get(Shape in, Shape out) {
    Entry<V> entry = last;
    if (entry == null || !entry.in.equals(in) || !entry.out.equals(out)) {
      entry = new Entry<>(in, out, derive.apply(in, out));
      last = entry;
    }
    return entry.value;
  }
}
