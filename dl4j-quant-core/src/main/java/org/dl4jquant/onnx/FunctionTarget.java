package org.dl4jquant.onnx;

import java.util.List;
import java.util.Map;
import org.dl4jquant.graph.Shape;
import org.dl4jquant.internal.Checks;

/** Adds what a {@link FloatFunctionExport} writes under names that begin with the node's. */
record FunctionTarget(GraphWriter writer, String node, List<String> inputs, List<Shape> inputShapes)
    implements FloatFunctionExport.Target {
  @Override
  public int opset() {
    return writer.opset();
  }

  @Override
  public String floats(String word, float[] values, long... shape) {
    return writer.floats(node + "/" + word, values, shape);
  }

  @Override
  public String longs(String word, long... values) {
    return writer.longs(node + "/" + word, values);
  }

  @Override
  public String node(String type, List<String> from, Map<String, Object> attributes) {
    Attributes all = new Attributes();
    attributes.forEach((name, value) -> add(all, name, value));
    return writer.node(type, from, writer.unique(node + "/" + type), all);
  }

  private static void add(Attributes all, String name, Object value) {
    if (value instanceof Long integer) {
      all.integer(name, integer);
    } else if (value instanceof Float number) {
      all.number(name, number);
    } else if (value instanceof String text) {
      all.text(name, text);
    } else if (value instanceof long[] integers) {
      all.integers(name, integers);
    } else {
      throw Checks.violated(
          "attribute '" + name + "'", "be a Long, Float, String or long[]", value);
    }
  }
}
