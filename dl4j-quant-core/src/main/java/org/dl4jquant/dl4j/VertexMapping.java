package org.dl4jquant.dl4j;

import com.google.common.collect.ImmutableList;

/** Draws one kind of vertex that is not a layer. */
interface VertexMapping {
  /** Adds the vertex's nodes and returns what it gives. */
  Value map(VertexScope vertex, ImmutableList<Value> inputs);
}
