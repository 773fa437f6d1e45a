package org.dl4jquant.execute;

import static com.google.common.collect.ImmutableList.toImmutableList;

import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableMap;
import com.google.common.collect.Maps;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.BiFunction;
import org.dl4jquant.graph.ActivationFormat;
import org.dl4jquant.graph.Node;
import org.dl4jquant.graph.QuantizedGraph;
import org.dl4jquant.graph.QuantizedGraph.Carrier;
import org.dl4jquant.graph.Shape;
import org.dl4jquant.internal.Checks;
import org.dl4jquant.tensor.QuantizedTensor;
import org.dl4jquant.tensor.Tensor;

/**
 * Computes a quantized graph with integers only, from the input's quantization to the output's
 * dequantization; what the graph leaves in float is computed in float in between.
 *
 * <p>Products are summed exactly: the width of every sum is proved when the network is built, and
 * what 63 bits do not hold is refused. A sum becomes a code once, by rounding and saturation. So
 * the codes do not depend on the order of summation, on the parts into which a batch is split, or
 * on the number of threads.
 *
 * <p>Affine formats have the same sums, of codes counted from the zero point; only the way from a
 * sum to a code is a multiplication in float, as ONNX Runtime's integer kernels do it, and an
 * addition of values is one of floats. The codes are as independent of order and threads.
 *
 * <p>Averages are exact quotients rounded once. Functions other than clipping are computed in
 * double on the exact value of each input code, rounded to float, and quantized.
 *
 * <p>Immutable and thread-safe; threads keep buffers between calls.
 */
public final class IntegerNetwork {
  private final QuantizedGraph quantized;
  private final IntegerPlan plan;
  private final int parallelism;
  private final KnownShapes known;
  private final ConcurrentLinkedDeque<Workspace> workspaces = new ConcurrentLinkedDeque<>();

  private IntegerNetwork(QuantizedGraph quantized, IntegerPlan plan, int parallelism) {
    this.quantized = quantized;
    this.plan = plan;
    this.known = new KnownShapes(quantized.graph());
    this.parallelism = Checks.positive("parallelism", parallelism);
  }

  /**
   * Returns a network that computes {@code quantized} on all processors.
   *
   * @throws IllegalArgumentException if a sum might exceed 63 bits, or formats do not fit each
   *     other; the message names the node
   */
  public static IntegerNetwork of(QuantizedGraph quantized) {
    int processors = Runtime.getRuntime().availableProcessors();
    return new IntegerNetwork(quantized, new IntegerPlan(quantized), processors);
  }

  /** Returns the same network that uses at most this many threads of the common pool at once. */
  public IntegerNetwork withParallelism(int threads) {
    return new IntegerNetwork(quantized, plan, threads);
  }

  /** Returns the graph that is computed. */
  public QuantizedGraph graph() {
    return quantized;
  }

  /**
   * Returns the proved width in bits, sign included, of the sums of each node that sums: weighted
   * operations with integer weights, and {@code Add}; the widest over the channels.
   */
  public ImmutableMap<String, Integer> accumulatorBits() {
    return plan.accumulatorBits();
  }

  /**
   * Returns the first output for the only input.
   *
   * @param input batch first, then the shape that the graph declares; NaN is refused, infinite
   *     values saturate
   */
  public Tensor output(Tensor input) {
    String name = quantized.graph().outputs().get(0);
    return floats(onlyInput(input), List.of(name)).get(0);
  }

  /** Returns all outputs by name, for all inputs by name. */
  public ImmutableMap<String, Tensor> outputs(Map<String, Tensor> inputs) {
    ImmutableList<String> names = quantized.graph().outputs();
    return byName(names, floats(inputs, names));
  }

  /**
   * Returns the codes of the first output for the only input; if that output is computed in float,
   * as a softmax is, the codes that it is computed from.
   *
   * @throws IllegalStateException if there are none
   */
  public QuantizedTensor outputCodes(Tensor input) {
    String name = quantized.graph().outputs().get(0);
    while (quantized.carrier(name) != Carrier.CODES) {
      ImmutableList<String> inputs = quantized.graph().node(name).inputs();
      Checks.state(inputs.size() == 1, "'%s' is computed in float from %s", name, inputs);
      name = inputs.get(0);
    }
    return layerCodes(name, onlyInput(input));
  }

  /**
   * Returns the codes of one node's value, batch first, channels next.
   *
   * @throws IllegalArgumentException if the value is not carried as codes
   */
  public QuantizedTensor layerCodes(String node, Map<String, Tensor> inputs) {
    Checks.that(
        quantized.carrier(node) == Carrier.CODES,
        "node",
        "be one whose value is carried as codes " + coded(),
        "'" + node + "'");
    return codes(inputs, List.of(node)).get(0);
  }

  /** Returns the codes of one node's value for the only input. */
  public QuantizedTensor layerCodes(String node, Tensor input) {
    return layerCodes(node, onlyInput(input));
  }

  /** Returns the codes of all values that are carried as codes, by node, in topological order. */
  public ImmutableMap<String, QuantizedTensor> layerCodes(Map<String, Tensor> inputs) {
    ImmutableList<String> names = coded();
    return byName(names, codes(inputs, names));
  }

  private ImmutableList<String> coded() {
    return quantized.graph().nodes().stream()
        .map(Node::name)
        .filter(name -> quantized.carrier(name) == Carrier.CODES)
        .collect(toImmutableList());
  }

  private ImmutableMap<String, Tensor> onlyInput(Tensor input) {
    ImmutableList<String> names = quantized.graph().inputs();
    Checks.state(names.size() == 1, "the network has inputs %s", names);
    return ImmutableMap.of(names.get(0), input);
  }

  private static <T> ImmutableMap<String, T> byName(List<String> names, List<T> values) {
    ImmutableMap.Builder<String, T> map = ImmutableMap.builder();
    for (int i = 0; i < names.size(); i++) {
      map.put(names.get(i), values.get(i));
    }
    return map.buildOrThrow();
  }

  private ImmutableList<Tensor> floats(Map<String, Tensor> inputs, List<String> names) {
    return run(
        inputs,
        names,
        (frame, name) -> {
          if (quantized.carrier(name) == Carrier.CODES) {
            new DequantizeStep(name, plan.format(name)).run(frame);
          }
          return frame.floats(name);
        },
        (name, parts) -> Batches.join(parts));
  }

  private ImmutableList<QuantizedTensor> codes(Map<String, Tensor> inputs, List<String> names) {
    return run(
        inputs,
        names,
        (frame, name) -> Batches.channelsFirst(frame, name, plan.format(name)),
        (name, parts) -> {
          ActivationFormat format = plan.format(name);
          return Batches.join(parts, format);
        });
  }

  private <P, T> ImmutableList<T> run(
      Map<String, Tensor> inputs,
      List<String> names,
      BiFunction<Frame, String, P> read,
      BiFunction<String, List<P>, T> join) {
    ImmutableMap<String, Shape> shapes =
        known.of(Maps.transformValues(inputs, t -> Shape.ofBatch(t.shape())));
    int batch = Batches.size(inputs);
    int size = PartSize.of(batch, shapes.values());
    int parts = (batch + size - 1) / size;
    AtomicReferenceArray<List<P>> results = new AtomicReferenceArray<>(parts);
    Parts.run(
        parts,
        parallelism,
        p -> {
          int first = p * size;
          Map<String, Tensor> own = Batches.slice(inputs, first, Math.min(batch, first + size));
          Frame frame = frame(first, Batches.size(own), parts == 1);
          compute(frame, own, shapes);
          results.set(p, names.stream().map(n -> read.apply(frame, n)).toList());
          workspaces.push(frame.workspace());
        });
    ImmutableList.Builder<T> joined = ImmutableList.builder();
    for (int i = 0; i < names.size(); i++) {
      List<P> column = new ArrayList<>();
      for (int p = 0; p < parts; p++) {
        column.add(results.get(p).get(i));
      }
      joined.add(join.apply(names.get(i), column));
    }
    return joined.build();
  }

  private Frame frame(int firstExample, int batch, boolean alone) {
    Workspace workspace = workspaces.poll();
    return new Frame(
        firstExample,
        batch,
        workspace == null ? new Workspace() : workspace,
        alone ? parallelism : 1);
  }

  /** Runs all steps for a part of the batch. */
  private void compute(Frame frame, Map<String, Tensor> inputs, Map<String, Shape> shapes) {
    inputs.forEach(frame::floats);
    for (IntegerPlan.Planned planned : plan.nodes()) {
      Node node = planned.node();
      Shape shape = shapes.get(node.name());
      if (shape == null || !shape.known()) {
        shape =
            node.op()
                .outputShape(node.inputs().stream().map(frame::shape).collect(toImmutableList()));
      }
      frame.shape(node.name(), shape);
      planned.steps().forEach(step -> step.run(frame));
    }
  }
}
