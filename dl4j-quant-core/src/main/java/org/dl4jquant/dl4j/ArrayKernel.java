package org.dl4jquant.dl4j;

import static com.google.common.collect.ImmutableList.toImmutableList;

import com.google.common.collect.ImmutableList;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import org.dl4jquant.graph.FloatFunction;
import org.dl4jquant.graph.Shape;
import org.dl4jquant.internal.Checks;
import org.dl4jquant.tensor.Tensor;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Runs DL4J inside a graph. Which shape it gives is found out by running it on zeros, once for each
 * shape of the inputs.
 */
final class ArrayKernel implements FloatFunction.Kernel {
  private static final int TRIAL_BATCH = 2;
  private static final int SHORT = 12; // sizes that differ after any usual stride, and divide well
  private static final int LONG = 24;

  private final ArrayFunction function;
  private final DataType type;
  private final boolean folded;
  private final Optional<UnaryOperator<Shape>> rule;
  private final Map<ImmutableList<Shape>, Shape> shapes = new ConcurrentHashMap<>();

  /**
   * A kernel.
   *
   * @param type of the arrays that the function takes
   * @param folded whether the tensors are {@code [batch, time, …]} and the arrays {@code [batch *
   *     time, …]}
   */
  ArrayKernel(ArrayFunction function, DataType type, boolean folded) {
    this.function = function;
    this.type = type;
    this.folded = folded;
    this.rule = Optional.empty();
  }

  /** A kernel with one input, of which is known what shape it makes of it. */
  ArrayKernel(ArrayFunction function, DataType type, UnaryOperator<Shape> rule) {
    this.function = function;
    this.type = type;
    this.folded = false;
    this.rule = Optional.of(rule);
  }

  FloatPart part() {
    return function.part();
  }

  boolean folded() {
    return folded;
  }

  @Override
  public Tensor apply(ImmutableList<Tensor> inputs) {
    return applied(function::apply, inputs);
  }

  private Tensor applied(
      Function<ImmutableList<INDArray>, INDArray> run, ImmutableList<Tensor> inputs) {
    Tensor first = inputs.get(0);
    INDArray output = run.apply(inputs.stream().map(this::array).collect(toImmutableList()));
    Tensor result = Tensors.of(output);
    int rows = folded ? Math.multiplyExact(first.size(0), first.size(1)) : first.size(0);
    Checks.that(
        result.size(0) == rows, "output", "have the batch of the input, " + rows, result.size(0));
    return folded ? unfolded(result, first.size(0), first.size(1)) : result;
  }

  private INDArray array(Tensor tensor) {
    return Tensors.toArray(folded ? folded(tensor) : tensor).castTo(type);
  }

  private static Tensor folded(Tensor tensor) {
    int[] shape = new int[tensor.rank() - 1];
    for (int axis = 1; axis < shape.length; axis++) {
      shape[axis] = tensor.size(axis + 1);
    }
    shape[0] = Math.multiplyExact(tensor.size(0), tensor.size(1));
    return tensor.reshape(shape);
  }

  private static Tensor unfolded(Tensor tensor, int batch, int time) {
    int[] shape = new int[tensor.rank() + 1];
    for (int axis = 2; axis < shape.length; axis++) {
      shape[axis] = tensor.size(axis - 1);
    }
    shape[0] = batch;
    shape[1] = time;
    return tensor.reshape(shape);
  }

  @Override
  public Shape outputShape(ImmutableList<Shape> inputs) {
    if (rule.isPresent()) {
      return rule.get().apply(inputs.get(0));
    }
    Shape known = shapes.get(inputs);
    if (known == null) {
      known = tried(inputs);
      shapes.put(inputs, known);
    }
    return known;
  }

  private Shape tried(ImmutableList<Shape> inputs) {
    Shape of = tried(inputs, SHORT);
    if (inputs.stream().allMatch(Shape::known)) {
      return of;
    }
    Shape ofLonger = tried(inputs, LONG);
    int[] sizes = of.sizes().toArray();
    for (int axis = 0; axis < sizes.length; axis++) {
      sizes[axis] = sizes[axis] == ofLonger.size(axis) ? sizes[axis] : Shape.UNKNOWN;
    }
    return Shape.of(sizes);
  }

  private Shape tried(ImmutableList<Shape> inputs, int unknown) {
    ImmutableList<Tensor> zeros =
        inputs.stream()
            .map(shape -> Shape.of(shape.sizes().stream().map(s -> s < 0 ? unknown : s).toArray()))
            .map(shape -> Tensor.zeros(shape.withBatch(TRIAL_BATCH)))
            .collect(toImmutableList());
    try {
      return Shape.ofBatch(applied(function::attempt, zeros).shape());
    } catch (RuntimeException e) { // DL4J throws all kinds
      throw new IllegalArgumentException(
          ("input must have a shape that DL4J takes, found %s, -1 for what the network does not"
                  + " tell: %s")
              .formatted(inputs, e.getMessage()),
          e);
    }
  }
}
