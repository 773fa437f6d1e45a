package org.dl4jquant.graph;

import com.google.common.collect.ImmutableList;
import org.dl4jquant.internal.Checks;

/** The element-wise sum of two or more inputs of one shape. */
public record Add() implements Op {
  @Override
  public boolean takes(int inputs) {
    return inputs >= 2;
  }

  @Override
  public Shape outputShape(ImmutableList<Shape> inputs) {
    Shape sum = inputs.get(0);
    for (Shape input : inputs) {
      Checks.that(sum.accepts(input), "inputs", "have one shape", inputs);
      sum = sum.known() ? sum : Concat.known(sum, input);
    }
    return sum;
  }

  @Override
  public <R> R accept(OpVisitor<R> visitor) {
    return visitor.add(this);
  }
}
