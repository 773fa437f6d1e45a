package org.dl4jquant.graph;

import com.google.common.collect.ImmutableList;
import com.google.common.primitives.ImmutableIntArray;
import org.dl4jquant.internal.Checks;

/**
 * The same elements in row-major order under another shape, batch excluded.
 *
 * @param target at most one unknown size, which follows from the number of elements
 */
public record Reshape(Shape target) implements Op {
  public Reshape {
    Checks.that(
        target.sizes().stream().filter(size -> size == Shape.UNKNOWN).count() <= 1,
        "target",
        "have at most one unknown size",
        target);
  }

  @Override
  public Shape outputShape(ImmutableList<Shape> inputs) {
    int elements = inputs.get(0).elements();
    if (elements == Shape.UNKNOWN) {
      return target;
    }
    ImmutableIntArray sizes = target.sizes();
    int known = sizes.stream().filter(size -> size != Shape.UNKNOWN).reduce(1, Math::multiplyExact);
    boolean fits = target.known() ? elements == known : elements % known == 0;
    Checks.that(fits, "input", "have the elements of shape " + target, inputs.get(0));
    return target.known()
        ? target
        : target.withSize(sizes.indexOf(Shape.UNKNOWN), elements / known);
  }

  @Override
  public boolean keepsCodes() {
    return true;
  }

  @Override
  public <R> R accept(OpVisitor<R> visitor) {
    return visitor.reshape(this);
  }
}
