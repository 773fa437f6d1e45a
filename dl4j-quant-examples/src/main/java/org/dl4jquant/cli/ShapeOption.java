package org.dl4jquant.cli;

import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableMap;
import com.google.common.primitives.Ints;
import org.dl4jquant.graph.Shape;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The sizes of one example, where the network does not tell them. */
final class ShapeOption {
  @Option(
      names = "--input-shape",
      split = ",",
      paramLabel = "SIZE",
      description =
          "The sizes of one example, as 1,28,28 (default: what the network tells; it may leave the"
              + " size of images and the length of sequences open).")
  private int @Nullable [] sizes;

  private ShapeOption() {}

  /**
   * Returns the shape of one example by the name of the input.
   *
   * @param unique whether sizes that the network leaves open must be given
   * @throws CommandFailedException if the sizes do not fit, or none are known
   */
  ImmutableMap<String, Shape> of(ModelFile file, boolean unique) {
    InputShapes shapes =
        InputShapes.of(file.network())
            .orElseThrow(
                () ->
                    new CommandFailedException(
                        file.source() + ": does not tell the shape of its inputs; give --data"));
    ImmutableList<String> names = shapes.names();
    if (sizes == null) {
      return shapes
          .known(unique)
          .orElseThrow(
              () ->
                  new CommandFailedException(
                      file.source()
                          + ": leaves sizes of features open, such as in "
                          + shapes
                          + "; give --input-shape"
                          + shapes.example().map(sizes -> ", for example " + sizes).orElse("")));
    }
    if (sizes.length == 0 || !positive(sizes) || !shapes.accepts(Shape.of(sizes))) {
      throw new CommandFailedException(
          file.source()
              + ": must have features of shape "
              + shapes
              + ", found --input-shape "
              + Ints.asList(sizes));
    }
    return ImmutableMap.of(names.get(0), Shape.of(sizes));
  }

  private static boolean positive(int... sizes) {
    for (int size : sizes) {
      if (size < 1) {
        return false;
      }
    }
    return true;
  }
}
