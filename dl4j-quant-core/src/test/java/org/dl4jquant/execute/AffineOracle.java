package org.dl4jquant.execute;

import static com.google.common.collect.ImmutableList.toImmutableList;

import com.google.common.collect.ImmutableList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import org.dl4jquant.format.AffineParameters;
import org.dl4jquant.graph.Activation;
import org.dl4jquant.graph.Add;
import org.dl4jquant.graph.AveragePool;
import org.dl4jquant.graph.Concat;
import org.dl4jquant.graph.Extent;
import org.dl4jquant.graph.GlobalPool;
import org.dl4jquant.graph.Input;
import org.dl4jquant.graph.Node;
import org.dl4jquant.graph.Op;
import org.dl4jquant.graph.QuantizedGraph;
import org.dl4jquant.graph.QuantizedGraph.Carrier;
import org.dl4jquant.graph.QuantizedWeights;
import org.dl4jquant.graph.ScalarFunction;
import org.dl4jquant.graph.Shape;
import org.dl4jquant.graph.Weighted;
import org.dl4jquant.tensor.Tensor;

/**
 * What an integer network of affine formats must compute, said as directly as possible: every value
 * is a tensor of whole numbers, codes less their zero point or sums, computed by the plain float
 * operations, which are exact for them; then comes the rounding, element by element.
 */
final class AffineOracle {
  private final QuantizedGraph quantized;
  private final Map<String, Tensor> whole = new LinkedHashMap<>();

  AffineOracle(QuantizedGraph quantized, Map<String, Tensor> inputs) {
    this.quantized = quantized;
    for (Node node : quantized.graph().nodes()) {
      String name = node.name();
      whole.put(
          name, node.op() instanceof Input ? quantized(name, inputs.get(name)) : computed(node));
    }
  }

  /** Returns the codes of a node's value. */
  int[] codes(String node) {
    int[] codes = new int[whole.get(node).length()];
    for (int i = 0; i < codes.length; i++) {
      codes[i] = (int) whole.get(node).values()[i] + (int) format(node).zeroPoint();
    }
    return codes;
  }

  /** Returns a node's value. */
  Tensor floats(String node) {
    Tensor numbers = whole.get(node);
    if (quantized.carrier(node) == Carrier.CODES) {
      return map(numbers, steps -> format(node).scale() * (float) steps);
    }
    Tensor values = Tensor.zeros(numbers.shape());
    for (int i = 0; i < values.length(); i++) {
      values.values()[i] =
          (float) ((double) numbers.values()[i] * scale(node, channel(numbers, i)));
    }
    return values;
  }

  private AffineParameters format(String node) {
    return (AffineParameters) quantized.format(node).orElseThrow().formats().get(0);
  }

  private interface Function {
    double of(double number);
  }

  private static Tensor map(Tensor tensor, Function function) {
    Tensor mapped = Tensor.zeros(tensor.shape());
    for (int i = 0; i < mapped.length(); i++) {
      mapped.values()[i] = (float) function.of(tensor.values()[i]) + 0f; // no negative zeros
    }
    return mapped;
  }

  private Tensor quantized(String node, Tensor values) {
    AffineParameters to = format(node);
    return map(values, value -> to.quantize(value) - to.zeroPoint());
  }

  /** Returns the real value of one step of a node's numbers. */
  private float scale(String node, int channel) {
    return quantized.carrier(node) == Carrier.CODES
        ? format(node).scale()
        : (float) quantized.weights(node).orElseThrow().accumulator().scale(channel);
  }

  private static int channel(Tensor tensor, int index) {
    int[] shape = tensor.shape();
    int inner = 1;
    for (int axis = 2; axis < shape.length; axis++) {
      inner *= shape[axis];
    }
    return index / inner % shape[1];
  }

  private static Tensor apply(Op op, Tensor... inputs) {
    ImmutableList<Shape> shapes =
        Arrays.stream(inputs).map(x -> Shape.ofBatch(x.shape())).collect(toImmutableList());
    return op.accept(new FloatOps(ImmutableList.copyOf(inputs), op.outputShape(shapes)));
  }

  private Tensor computed(Node node) {
    String name = node.name();
    boolean codes = quantized.carrier(name) == Carrier.CODES;
    Tensor x = whole.get(node.inputs().get(0));
    if (node.op() instanceof Weighted op) {
      QuantizedWeights weights = quantized.weights(name).orElseThrow();
      Tensor sums = apply(op.withParameters(codesOf(weights), biasOf(weights)), x);
      return codes ? rounded(sums, weights, format(name)) : sums;
    }
    if (node.op().keepsCodes()) {
      return apply(node.op(), x);
    }
    if (node.op() instanceof Activation activation && activation.function().clips()) {
      return clipped(node, activation.function(), x);
    }
    if (node.op() instanceof Add) {
      return codes ? added(node, format(name)) : x;
    }
    if (node.op() instanceof Concat) {
      Tensor[] inputs =
          node.inputs().stream()
              .map(from -> multiplied(whole.get(from), format(from).scale(), format(name)))
              .toArray(Tensor[]::new);
      return apply(node.op(), inputs);
    }
    if (node.op() instanceof AveragePool pool) {
      return mean(pool, x, format(node.inputs().get(0)), format(name));
    }
    if (node.op() instanceof GlobalPool pool && pool.reduction() != GlobalPool.Reduction.MAX) {
      Tensor sums = apply(new GlobalPool(GlobalPool.Reduction.SUM), x);
      boolean mean = pool.reduction() == GlobalPool.Reduction.AVERAGE;
      int count = mean ? x.length() / sums.length() : 1;
      double ratio = (double) format(node.inputs().get(0)).scale() / format(name).scale();
      return map(sums, sum -> saturated(Math.rint(sum * ratio / count), format(name)));
    }
    Tensor[] values = node.inputs().stream().map(this::floats).toArray(Tensor[]::new);
    return quantized(name, apply(node.op(), values));
  }

  private static Tensor codesOf(QuantizedWeights weights) {
    int[] codes = weights.weight().codes();
    Tensor tensor = Tensor.zeros(weights.weight().shape());
    for (int i = 0; i < codes.length; i++) {
      tensor.values()[i] = codes[i];
    }
    return tensor;
  }

  private static Tensor biasOf(QuantizedWeights weights) {
    Tensor tensor = Tensor.zeros(weights.bias().length());
    for (int i = 0; i < tensor.length(); i++) {
      tensor.values()[i] = weights.bias().get(i);
      if ((long) tensor.values()[i] != weights.bias().get(i)) {
        throw new IllegalStateException("a float does not hold the bias");
      }
    }
    return tensor;
  }

  private static double saturated(double steps, AffineParameters to) {
    double least = to.minCode() - to.zeroPoint();
    double most = to.maxCode() - to.zeroPoint();
    return Math.max(least, Math.min(most, steps)) + 0.0;
  }

  private static Tensor multiplied(Tensor sums, float scale, AffineParameters to) {
    float multiplier = scale / to.scale();
    return map(sums, sum -> saturated(Math.rint((float) sum * multiplier), to));
  }

  private static Tensor rounded(Tensor sums, QuantizedWeights weights, AffineParameters to) {
    Tensor codes = Tensor.zeros(sums.shape());
    for (int i = 0; i < codes.length(); i++) {
      float multiplier = (float) weights.accumulator().scale(channel(sums, i)) / to.scale();
      codes.values()[i] = (float) saturated(Math.rint(sums.values()[i] * multiplier), to);
    }
    return codes;
  }

  private Tensor clipped(Node node, ScalarFunction function, Tensor x) {
    AffineParameters to = format(node.name());
    Node before = quantized.graph().node(node.inputs().get(0));
    boolean sums = quantized.carrier(before.name()) != Carrier.CODES;
    Tensor codes =
        sums && before.op() instanceof Add
            ? added(before, to)
            : sums
                ? rounded(x, quantized.weights(before.name()).orElseThrow(), to)
                : multiplied(x, format(before.name()).scale(), to);
    double least = to.quantize(function.lowest()) - to.zeroPoint();
    double most = to.quantize(function.highest()) - to.zeroPoint();
    return map(codes, code -> Math.max(least, Math.min(most, code)));
  }

  private Tensor added(Node node, AffineParameters to) {
    Tensor sums = Tensor.zeros(whole.get(node.inputs().get(0)).shape());
    for (int i = 0; i < sums.length(); i++) {
      float sum = 0;
      for (String input : node.inputs()) {
        sum += whole.get(input).values()[i] * (format(input).scale() / to.scale());
      }
      sums.values()[i] = (float) saturated(Math.rint(sum), to);
    }
    return sums;
  }

  private static Tensor mean(
      AveragePool pool, Tensor x, AffineParameters from, AffineParameters to) {
    Extent kernel = pool.window().kernel();
    AveragePool whole = new AveragePool(pool.window(), true);
    Tensor sums = map(apply(whole, x), mean -> Math.rint(mean * kernel.area()));
    Tensor counts = map(apply(whole, map(x, any -> 1)), mean -> Math.rint(mean * kernel.area()));
    double ratio = (double) from.scale() / to.scale();
    Tensor codes = Tensor.zeros(sums.shape());
    for (int i = 0; i < codes.length(); i++) {
      double count = pool.countsPadding() ? kernel.area() : Math.max(1, counts.values()[i]);
      codes.values()[i] = (float) saturated(Math.rint(sums.values()[i] * ratio / count), to);
    }
    return codes;
  }
}
