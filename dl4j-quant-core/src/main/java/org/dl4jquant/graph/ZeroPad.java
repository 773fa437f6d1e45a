package org.dl4jquant.graph;

import com.google.common.collect.ImmutableList;

/** Zeros around every channel; on {@code [C, T]} left and right are before and after. */
public record ZeroPad(Padding.Explicit amounts) implements Op {
  @Override
  public Shape outputShape(ImmutableList<Shape> inputs) {
    return Crop.resized(inputs.get(0), amounts, 1);
  }

  @Override
  public boolean homogeneous() {
    return true;
  }

  @Override
  public boolean keepsCodes() {
    return true;
  }

  @Override
  public <R> R accept(OpVisitor<R> visitor) {
    return visitor.zeroPad(this);
  }
}
