package org.dl4jquant.onnx;

import com.google.common.collect.ImmutableList;
import com.google.common.primitives.ImmutableIntArray;
import java.util.List;
import org.dl4jquant.format.NumberFormat;
import org.dl4jquant.graph.FloatFunction;
import org.dl4jquant.graph.ScalarFunction;
import org.dl4jquant.graph.Shape;
import org.dl4jquant.internal.Checks;

/** Writes functions that the graph itself knows only as a computation. */
@FunctionalInterface
public interface FloatFunctionExport {
  /**
   * The codes of a constant, in row-major order.
   *
   * @param formats fixed point or affine, all of one width: one, or one per index along the axis
   */
  record Codes(ImmutableIntArray values, ImmutableList<NumberFormat> formats, int axis) {
    public Codes {
      Checks.that(!formats.isEmpty(), "formats", "not be empty", formats.size());
    }
  }

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

    /** Adds integer codes and returns the name of the floats that they stand for. */
    String weight(String word, Codes codes, long... shape);

    /** Adds an element-wise function of {@code x} and returns the name of the result. */
    String function(ScalarFunction function, String x);

    /**
     * Adds a node with one output and returns that output's name.
     *
     * @param inputs names of tensors; an empty one stands for an input that is left out
     * @param attributes a {@code Long}, {@code Float}, {@code String} or an array of {@code long},
     *     {@code float} or {@code String} by name
     */
    String node(String type, List<String> inputs, java.util.Map<String, Object> attributes);
  }

  /**
   * Writes the function, or returns false if it is none that this knows.
   *
   * @return the name of the tensor that holds the result; empty if the function is not known here
   * @throws IllegalArgumentException if the function is known and cannot be written
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
