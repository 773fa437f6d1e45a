package org.dl4jquant.onnx;

import java.util.List;
import java.util.Map;
import org.dl4jquant.graph.ScalarFunction;
import org.dl4jquant.graph.Shape;
import org.dl4jquant.internal.Checks;

/** Adds what a {@link FloatFunctionExport} writes under names that begin with the node's. */
record FunctionTarget(
    GraphWriter writer,
    DequantizedConstant constants,
    String node,
    List<String> inputs,
    List<Shape> inputShapes)
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
  public String weight(String word, FloatFunctionExport.Codes codes, long... shape) {
    Step[] steps = codes.formats().stream().map(Step::of).toArray(Step[]::new);
    return constants.weight(
        codes.values().toArray(),
        codes.formats().get(0).bitWidth(),
        codes.formats().get(0).signed(),
        shape,
        steps,
        steps.length == 1 ? -1 : codes.axis(),
        writer.unique(node + "/" + word));
  }

  @Override
  public String function(ScalarFunction function, String x) {
    String y = writer.unique(node + "/function");
    Functions.write(writer, function, x, y);
    return y;
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
    } else if (value instanceof float[] numbers) {
      all.numbers(name, numbers);
    } else if (value instanceof String[] texts) {
      all.texts(name, texts);
    } else {
      throw Checks.violated(
          "attribute '" + name + "'",
          "be a Long, Float, String, long[], float[] or String[]",
          value);
    }
  }
}
