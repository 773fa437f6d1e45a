package org.dl4jquant.cli;

import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableMap;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.deeplearning4j.nn.api.Model;
import org.dl4jquant.dl4j.Dl4jNetwork;
import org.dl4jquant.dl4j.GraphReader;
import org.dl4jquant.graph.NetworkGraph;
import org.dl4jquant.graph.Shape;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The shapes that a network takes, as far as it tells them. */
final class InputShapes {
  private static final int LARGEST_SIDE = 1024;
  private static final int ANY_SIDE = 32;

  private final NetworkGraph graph;

  private InputShapes(NetworkGraph graph) {
    this.graph = graph;
  }

  /** Returns the shapes of a network's inputs, unless it is one that no graph can stand for. */
  static Optional<InputShapes> of(Model model) {
    try {
      return Optional.of(new InputShapes(GraphReader.read(Dl4jNetwork.of(model)).graph()));
    } catch (IllegalArgumentException e) {
      return Optional.empty();
    }
  }

  /** Returns what to tell a user whose features a network did not take. */
  static CommandFailedException misfit(
      String source, Model model, INDArray[] inputs, RuntimeException cause) {
    String found =
        Arrays.stream(inputs)
            .map(input -> Arrays.toString(input.shape()))
            .collect(Collectors.joining(" and "));
    String wanted =
        of(model).filter(own -> !own.accept(inputs)).map(InputShapes::toString).orElse("");
    return new CommandFailedException(
        source
            + ": cannot take features of shape "
            + found
            + (wanted.isEmpty() ? "" : ", must have " + wanted)
            + ": "
            + Messages.of(cause),
        cause);
  }

  /**
   * Returns shapes, batch excluded, that the network takes; where it takes images of any size up to
   * some layer that does not, they are found by trying squares.
   *
   * @param unique whether to return nothing if other shapes fit, too, such as other rectangles
   */
  Optional<ImmutableMap<String, Shape>> known(boolean unique) {
    ImmutableMap<String, Shape> declared = declared();
    if (declared.values().stream().allMatch(Shape::known)) {
      return Optional.of(declared);
    }
    List<Integer> sides = sides();
    boolean told = !sides.isEmpty() && sides.get(sides.size() - 1) < LARGEST_SIDE;
    return told && (!unique || (sides.size() == 1 && openSizes() == 1))
        ? Optional.of(square(sides.get(0)))
        : Optional.empty();
  }

  private long openSizes() {
    return declared().values().stream()
        .flatMap(shape -> shape.sizes().stream().boxed())
        .filter(size -> size == Shape.UNKNOWN)
        .count();
  }

  /**
   * Returns a shape that the only input takes, as an option has it, or nothing if none is found.
   */
  Optional<String> example() {
    List<Integer> sides = sides();
    return graph.inputs().size() > 1 || sides.isEmpty()
        ? Optional.empty()
        : Optional.of(
            square(sides.size() == LARGEST_SIDE ? ANY_SIDE : sides.get(0))
                .values()
                .asList()
                .get(0)
                .sizes()
                .stream()
                .mapToObj(String::valueOf)
                .collect(Collectors.joining(",")));
  }

  /** Returns whether one example of this shape fits the only input. */
  boolean accepts(Shape example) {
    return graph.inputs().size() == 1 && fit(ImmutableMap.of(graph.inputs().get(0), example));
  }

  /** Returns the names of the inputs, in order. */
  ImmutableList<String> names() {
    return graph.inputs();
  }

  private ImmutableMap<String, Shape> declared() {
    return graph.inputs().stream().collect(ImmutableMap.toImmutableMap(n -> n, graph::shape));
  }

  private boolean accept(INDArray... inputs) {
    ImmutableMap.Builder<String, Shape> shapes = ImmutableMap.builder();
    for (int i = 0; i < inputs.length; i++) {
      int[] sizes = Arrays.stream(inputs[i].shape()).mapToInt(Math::toIntExact).toArray();
      shapes.put(graph.inputs().get(i), Shape.ofBatch(sizes));
    }
    return fit(shapes.buildOrThrow());
  }

  private boolean fit(ImmutableMap<String, Shape> shapes) {
    try {
      graph.shapes(shapes);
      return true;
    } catch (IllegalArgumentException | ArithmeticException e) {
      return false;
    }
  }

  /** Returns the sizes that fit where one is unknown. */
  private List<Integer> sides() {
    return IntStream.rangeClosed(1, LARGEST_SIDE)
        .filter(side -> fit(square(side)))
        .boxed()
        .toList();
  }

  private ImmutableMap<String, Shape> square(int side) {
    return declared().entrySet().stream()
        .collect(
            ImmutableMap.toImmutableMap(
                input -> input.getKey(),
                input ->
                    Shape.of(
                        input.getValue().sizes().stream()
                            .map(size -> size == Shape.UNKNOWN ? side : size)
                            .toArray())));
  }

  /** Returns for example {@code [examples, 3, 32, 32]}, or {@code any} where a size is free. */
  @Override
  public String toString() {
    List<Integer> sides = sides();
    boolean told = !sides.isEmpty() && sides.size() < LARGEST_SIDE;
    String side = told ? text(sides.get(0), sides.get(sides.size() - 1)) : "any";
    ImmutableList.Builder<String> shapes = ImmutableList.builder();
    declared()
        .values()
        .forEach(
            shape ->
                shapes.add(
                    shape.sizes().stream()
                        .mapToObj(size -> size == Shape.UNKNOWN ? side : String.valueOf(size))
                        .collect(Collectors.joining(", ", "[examples, ", "]"))));
    return String.join(" and ", shapes.build());
  }

  private static String text(int from, int to) {
    if (from == to) {
      return String.valueOf(from);
    }
    return to == LARGEST_SIDE ? from + " or more" : from + " to " + to;
  }
}
