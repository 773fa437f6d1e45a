package org.dl4jquant.graph;

import com.google.common.collect.ImmutableList;
import org.dl4jquant.internal.Checks;

/**
 * Joins inputs one after the other.
 *
 * @param axis the axis that grows, the batch not counted: 0 for channels
 */
public record Concat(int axis) implements Op {
  /** Joins channels. */
  public static final Concat CHANNELS = new Concat(0);

  public Concat {
    Checks.inRange("axis", axis, 0, 3);
  }

  @Override
  public boolean takes(int inputs) {
    return inputs >= 1;
  }

  @Override
  public Shape outputShape(ImmutableList<Shape> inputs) {
    Shape joined = inputs.get(0);
    Checks.that(axis < joined.rank(), "axis", "exist in shape " + joined, axis);
    int size = 0;
    for (Shape input : inputs) {
      Shape fitted =
          input.rank() == joined.rank() ? input.withSize(axis, joined.size(axis)) : input;
      Checks.that(joined.accepts(fitted), "inputs", "agree in all axes but " + axis, inputs);
      joined = known(joined, fitted);
      size =
          size == Shape.UNKNOWN || input.size(axis) == Shape.UNKNOWN
              ? Shape.UNKNOWN
              : size + input.size(axis);
    }
    return joined.withSize(axis, size);
  }

  /** Fills the unknown sizes of {@code shape} with those of an agreeing one. */
  static Shape known(Shape shape, Shape other) {
    Shape filled = shape;
    for (int i = 0; i < shape.rank(); i++) {
      filled = filled.size(i) == Shape.UNKNOWN ? filled.withSize(i, other.size(i)) : filled;
    }
    return filled;
  }

  @Override
  public <R> R accept(OpVisitor<R> visitor) {
    return visitor.concat(this);
  }
}
