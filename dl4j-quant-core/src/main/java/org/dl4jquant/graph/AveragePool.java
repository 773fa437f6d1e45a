package org.dl4jquant.graph;

import com.google.common.collect.ImmutableList;

/**
 * The mean of each window.
 *
 * @param countsPadding if true the sum is always divided by the size of the window, else by the
 *     number of elements that are not padding
 */
public record AveragePool(Window window, boolean countsPadding) implements Op {
  public AveragePool {
    MaxPool.requirePaddingBelowReach(window);
  }

  @Override
  public Shape outputShape(ImmutableList<Shape> inputs) {
    return window.slideOver(inputs.get(0), inputs.get(0).channels());
  }

  @Override
  public boolean homogeneous() {
    return true;
  }

  @Override
  public <R> R accept(OpVisitor<R> visitor) {
    return visitor.averagePool(this);
  }
}
