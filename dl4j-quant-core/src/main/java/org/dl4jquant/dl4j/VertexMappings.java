package org.dl4jquant.dl4j;

import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableMap;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex;
import org.deeplearning4j.nn.conf.graph.FrozenVertex;
import org.deeplearning4j.nn.conf.graph.GraphVertex;
import org.deeplearning4j.nn.conf.graph.MergeVertex;
import org.deeplearning4j.nn.conf.graph.PoolHelperVertex;
import org.deeplearning4j.nn.conf.graph.PreprocessorVertex;
import org.deeplearning4j.nn.conf.graph.ReshapeVertex;
import org.deeplearning4j.nn.conf.graph.ScaleVertex;
import org.deeplearning4j.nn.conf.graph.ShiftVertex;
import org.deeplearning4j.nn.conf.graph.SubsetVertex;
import org.deeplearning4j.nn.conf.graph.rnn.DuplicateToTimeSeriesVertex;
import org.deeplearning4j.nn.conf.graph.rnn.LastTimeStepVertex;
import org.deeplearning4j.nn.conf.graph.rnn.ReverseTimeSeriesVertex;

/** Which mapping draws which vertex, by the exact class of its configuration. */
final class VertexMappings {
  private static final ImmutableMap<Class<? extends GraphVertex>, VertexMapping> KINDS =
      ImmutableMap.<Class<? extends GraphVertex>, VertexMapping>builder()
          .put(ElementWiseVertex.class, new ElementWiseMapping())
          .put(MergeVertex.class, new MergeMapping())
          .put(ScaleVertex.class, new AffineVertexMapping())
          .put(ShiftVertex.class, new AffineVertexMapping())
          .put(SubsetVertex.class, new SubsetMapping())
          .put(PreprocessorVertex.class, ShapeMappings::preprocessor)
          .put(ReshapeVertex.class, ShapeMappings::reshape)
          .put(PoolHelperVertex.class, ShapeMappings::poolHelper)
          .put(LastTimeStepVertex.class, TimeMappings::last)
          .put(DuplicateToTimeSeriesVertex.class, TimeMappings::duplicate)
          .put(ReverseTimeSeriesVertex.class, TimeMappings::reverse)
          .buildOrThrow();

  private VertexMappings() {}

  /** Draws a vertex of any kind; one that nobody knows stays float. */
  static Value draw(VertexScope vertex, ImmutableList<Value> inputs) {
    return KINDS
        .getOrDefault(vertex.kind().getClass(), VertexMappings::inFloat)
        .map(vertex, inputs);
  }

  private static Value inFloat(VertexScope vertex, ImmutableList<Value> inputs) {
    return vertex.inFloat("nothing in integers is known for this kind of vertex", inputs);
  }

  /** Removes the wrapper that only concerns training. */
  static GraphVertex thawed(GraphVertex vertex) {
    return vertex instanceof FrozenVertex frozen ? thawed(frozen.getUnderlying()) : vertex;
  }
}
