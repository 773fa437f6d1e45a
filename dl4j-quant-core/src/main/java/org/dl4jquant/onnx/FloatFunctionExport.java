package org.dl4jquant.onnx;

import java.util.List;
import org.dl4jquant.graph.FloatFunction;
import org.dl4jquant.graph.Shape;

/** Writes functions that the graph itself knows only as a computation. */
@FunctionalInterface
public interface FloatFunctionExport {
  /** What one function is written into. */
  interface Target {
    /** Returns the names of the float tensors that the function takes, batch first. */
    List<String> inputs();

    /** Returns their shapes, batch excluded. */
    List<Shape> inputShapes();

    /** Returns the opset of the file. */
    int opset();

    /** Adds a float constant and returns its name. */
    String floats(String word, float[] values, long... shape);

    /** Adds an integer constant of rank 1 and returns its name. */
    String longs(String word, long... values);

    /**
     * Adds a node with one output and returns that output's name.
     *
     * @param attributes a {@code Long}, {@code Float}, {@code String} or {@code long[]} by name
     */
    String node(String type, List<String> inputs, java.util.Map<String, Object> attributes);
  }

  /**
   * Writes the function, or returns false if it is none that this knows.
   *
   * @return the name of the tensor that holds the result; empty if the function is not known here
   */
  java.util.Optional<String> write(FloatFunction function, Target target);

  /** Returns an export that knows no function. */
  static FloatFunctionExport none() {
    return (function, target) -> java.util.Optional.empty();
  }

  /** Returns an export that asks this one first, then {@code other}. */
  default FloatFunctionExport orElse(FloatFunctionExport other) {
    return (function, target) -> write(function, target).or(() -> other.write(function, target));
  }
}
