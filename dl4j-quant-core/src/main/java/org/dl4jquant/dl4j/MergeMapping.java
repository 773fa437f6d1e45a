package org.dl4jquant.dl4j;

import com.google.common.collect.ImmutableList;
import org.deeplearning4j.nn.conf.graph.MergeVertex;
import org.dl4jquant.graph.Concat;

/** Inputs one after the other along an axis. */
final class MergeMapping implements VertexMapping {
  @Override
  public Value map(VertexScope vertex, ImmutableList<Value> inputs) {
    if (inputs.size() == 1) {
      return inputs.get(0);
    }
    ImmutableList<Value> alike = vertex.alike(inputs);
    Value first = alike.get(0);
    int rank = vertex.shape(first).rank();
    boolean rows = first.layout() == Layout.STEPS || first.layout() == Layout.FOLDED;
    int axes = rows ? rank : rank + 1; // of DL4J's array; Keras counts -1 from its end
    int axis = Math.floorMod(((MergeVertex) vertex.kind()).getMergeAxis(), axes) - 1;
    int inGraph =
        switch (first.layout()) {
          case AS_IN_DL4J, STEPS -> axis;
          case CHANNELS_LAST -> (axis + 1) % rank;
          case FOLDED -> axis + 1;
        };
    return vertex.add(new Concat(inGraph), first.layout(), alike);
  }
}
