package org.dl4jquant.graph;

import com.google.common.collect.ImmutableList;
import org.dl4jquant.internal.Checks;

/** One number per channel, from all its positions: {@code [C, …]} becomes {@code [C]}. */
public record GlobalPool(Reduction reduction) implements Op {
  /** What is taken of the positions. */
  public enum Reduction {
    AVERAGE,
    MAX,
    SUM
  }

  @Override
  public Shape outputShape(ImmutableList<Shape> inputs) {
    Checks.that(inputs.get(0).rank() >= 2, "input", "have positions", inputs.get(0));
    return Shape.of(inputs.get(0).channels());
  }

  @Override
  public boolean homogeneous() {
    return true;
  }

  @Override
  public boolean keepsCodes() {
    return reduction == Reduction.MAX;
  }

  @Override
  public <R> R accept(OpVisitor<R> visitor) {
    return visitor.globalPool(this);
  }
}
