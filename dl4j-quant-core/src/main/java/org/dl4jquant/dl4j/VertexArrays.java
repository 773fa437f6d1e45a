package org.dl4jquant.dl4j;

import com.google.common.collect.ImmutableList;
import java.util.Optional;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.deeplearning4j.nn.graph.vertex.GraphVertex;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A vertex of DL4J at inference. Vertices keep their inputs, so each thread borrows one of its own;
 * all share one copy of the parameters.
 */
final class VertexArrays implements ArrayFunction {
  private final VertexScope scope;
  private final Optional<INDArray> parameters;
  private final DataType type;
  private final ConcurrentLinkedQueue<GraphVertex> idle = new ConcurrentLinkedQueue<>();

  VertexArrays(VertexScope scope, DataType type) {
    this.scope = scope;
    GraphVertex vertex = scope.vertex();
    this.parameters =
        vertex.numParams() == 0 ? Optional.empty() : Optional.of(vertex.params().dup());
    this.type = type;
  }

  @Override
  public FloatPart part() {
    return new FloatPart.OfVertex(scope.kind());
  }

  @Override
  public INDArray apply(ImmutableList<INDArray> inputs) {
    GraphVertex borrowed = idle.poll();
    GraphVertex vertex = borrowed == null ? create() : borrowed;
    LayerWorkspaceMgr workspaces = LayerWorkspaceMgr.noWorkspaces();
    for (int i = 0; i < inputs.size(); i++) {
      vertex.setInput(i, inputs.get(i), workspaces);
    }
    INDArray output = vertex.doForward(false, workspaces).dup('c');
    vertex.clear();
    idle.add(vertex);
    return output;
  }

  private GraphVertex create() {
    GraphVertex original = scope.vertex();
    GraphVertex own =
        scope
            .kind()
            .instantiate(
                scope.network(),
                original.getVertexName(),
                original.getVertexIndex(),
                parameters.orElse(null),
                false,
                type);
    own.setInputVertices(original.getInputVertices());
    return own;
  }
}
