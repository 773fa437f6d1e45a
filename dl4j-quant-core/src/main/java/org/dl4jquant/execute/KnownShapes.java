package org.dl4jquant.execute;

import com.google.common.collect.ImmutableMap;
import java.util.Map;
import org.dl4jquant.graph.NetworkGraph;
import org.dl4jquant.graph.Shape;
import org.jspecify.annotations.Nullable;

/** The shapes of all values of a graph, kept for the inputs that came last. Thread-safe. */
final class KnownShapes {
  private final NetworkGraph graph;
  private volatile @Nullable Entry last;

  KnownShapes(NetworkGraph graph) {
    this.graph = graph;
  }

  private record Entry(ImmutableMap<String, Shape> inputs, ImmutableMap<String, Shape> all) {}

  /** See {@link NetworkGraph#shapes}. */
  ImmutableMap<String, Shape> of(Map<String, Shape> inputs) {
    Entry entry = last;
    if (entry == null || !entry.inputs.equals(inputs)) {
      entry = new Entry(ImmutableMap.copyOf(inputs), graph.shapes(inputs));
      last = entry;
    }
    return entry.all;
  }
}
