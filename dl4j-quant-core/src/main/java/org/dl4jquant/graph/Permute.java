package org.dl4jquant.graph;

import com.google.common.collect.ImmutableList;
import com.google.common.primitives.ImmutableIntArray;
import java.util.stream.IntStream;
import org.dl4jquant.internal.Checks;

/**
 * Another order of the axes, the batch not counted.
 *
 * @param axes output axis i is input axis {@code axes[i]}; (1, 2, 0) turns {@code [C, H, W]} into
 *     {@code [H, W, C]}
 */
public record Permute(ImmutableIntArray axes) implements Op {
  public Permute {
    Checks.that(
        axes.stream()
            .sorted()
            .boxed()
            .toList()
            .equals(IntStream.range(0, axes.length()).boxed().toList()),
        "axes",
        "be a permutation of 0 to " + (axes.length() - 1),
        axes);
  }

  /** Returns the permutation in which output axis i is input axis {@code axes[i]}. */
  public static Permute of(int... axes) {
    return new Permute(ImmutableIntArray.copyOf(axes));
  }

  @Override
  public Shape outputShape(ImmutableList<Shape> inputs) {
    Shape input = inputs.get(0);
    Checks.that(input.rank() == axes.length(), "input", "have " + axes.length() + " axes", input);
    return Shape.of(axes.stream().map(input::size).toArray());
  }

  @Override
  public boolean keepsCodes() {
    return true;
  }

  @Override
  public <R> R accept(OpVisitor<R> visitor) {
    return visitor.permute(this);
  }
}
