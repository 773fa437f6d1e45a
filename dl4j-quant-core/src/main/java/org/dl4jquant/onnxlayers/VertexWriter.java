package org.dl4jquant.onnxlayers;

import com.google.common.primitives.Longs;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex;
import org.deeplearning4j.nn.conf.graph.GraphVertex;
import org.deeplearning4j.nn.conf.graph.L2NormalizeVertex;
import org.dl4jquant.dl4j.TimeKernel;
import org.dl4jquant.graph.Shape;
import org.dl4jquant.internal.Checks;
import org.dl4jquant.onnx.FloatFunctionExport.Target;

/** Writes vertices that are no layers. */
record VertexWriter(Pen pen, Target target) {
  private String x() {
    return target.inputs().get(0);
  }

  String write(GraphVertex vertex) {
    if (vertex instanceof ElementWiseVertex combination) {
      return combined(combination.getOp());
    }
    if (vertex instanceof L2NormalizeVertex normalization) {
      return normalized(normalization);
    }
    throw new IllegalArgumentException("nothing in ONNX is known for this kind of vertex");
  }

  private String combined(ElementWiseVertex.Op op) {
    List<Shape> shapes = target.inputShapes();
    Checks.that(
        shapes.stream().mapToInt(Shape::rank).distinct().count() == 1,
        "inputs",
        "have one rank",
        shapes);
    String type =
        switch (op) {
          case Add, Average -> "Add";
          case Subtract -> "Sub";
          case Product -> "Mul";
          case Max -> "Max";
        };
    String result = x();
    for (String input : target.inputs().subList(1, target.inputs().size())) {
      result = pen.node(type, result, input);
    }
    return op == ElementWiseVertex.Op.Average
        ? pen.multiply(result, 1.0 / target.inputs().size())
        : result;
  }

  private String normalized(L2NormalizeVertex vertex) {
    int rank = target.inputShapes().get(0).rank();
    int[] chosen = vertex.getDimension();
    long[] axes =
        chosen == null || chosen.length == 0
            ? LongStream.rangeClosed(1, rank).toArray()
            : Arrays.stream(chosen).asLongStream().toArray();
    Checks.that(
        !Longs.contains(axes, 0), "dimensions", "not include the batch", Longs.asList(axes));
    String norm = pen.reduced("ReduceL2", x(), axes);
    return pen.node("Div", x(), pen.node("Max", norm, pen.scalar(vertex.getEps())));
  }

  /** Writes what is done to the steps of {@code [batch, features, time]}. */
  String write(TimeKernel kernel) {
    return switch (kernel) {
      case LAST -> pen.last(x(), 2);
      case REVERSE ->
          pen.node(
              "Slice",
              x(),
              target.longs("starts", -1),
              target.longs("ends", Long.MIN_VALUE),
              target.longs("axes", 2),
              target.longs("steps", -1));
      case DUPLICATE -> duplicated();
    };
  }

  private String duplicated() {
    String shape = pen.node("Shape", x());
    String sequence = pen.node("Shape", target.inputs().get(1));
    String time =
        target.node("Gather", List.of(sequence, target.longs("time", 2)), Map.of("axis", 0L));
    return pen.node("Expand", pen.unsqueezed(x(), 2), pen.concatenated(0, shape, time));
  }
}
