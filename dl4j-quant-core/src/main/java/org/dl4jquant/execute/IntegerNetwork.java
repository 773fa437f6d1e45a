package org.dl4jquant.execute;

import static com.google.common.collect.ImmutableList.toImmutableList;

import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableMap;
import com.google.common.collect.Maps;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.function.BiFunction;
import java.util.function.Function;
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
 * <p>Averages are exact quotients rounded once. Functions other than clipping are computed in
 * double on the exact value of each input code, rounded to float, and quantized.
 *
 * <p>Immutable and thread-safe; threads keep buffers between calls.
 */
public final class IntegerNetwork {
  private static final int PART_ELEMENTS = 1 << 20;
  private static final int MIN_PARTS = 8;

  private final QuantizedGraph quantized;
  private final IntegerPlan plan;
  private final int parallelism;
  private final ConcurrentLinkedDeque<Workspace> workspaces = new ConcurrentLinkedDeque<>();

  private IntegerNetwork(QuantizedGraph quantized, IntegerPlan plan, int parallelism) {
    this.quantized = quantized;
    this.plan = plan;
    this.parallelism = Checks.positive("parallelism", parallelism);
  }

  /**
   * Returns a network that computes {@code quantized} on all processors.
   *
   * @throws IllegalArgumentException if a sum might exceed 63 bits, or a format is not fixed point;
   *     the message names the node
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
        Batches::channelsFirst,
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
        quantized.graph().shapes(Maps.transformValues(inputs, t -> Shape.ofBatch(t.shape())));
    int batch = Batches.size(inputs);
    int part = partSize(batch, shapes.values());
    List<List<P>> results = new ArrayList<>();
    int parts = (batch + part - 1) / part;
    for (int p = 0; p < parts; p++) {
      results.add(List.of());
    }
    List<List<P>> shared = Collections.synchronizedList(results);
    Parts.run(
        parts,
        parallelism,
        p -> {
          Map<String, Tensor> own =
              Batches.slice(inputs, p * part, Math.min(batch, (p + 1) * part));
          shared.set(p, part(own, frame -> names.stream().map(n -> read.apply(frame, n)).toList()));
        });
    ImmutableList.Builder<T> joined = ImmutableList.builder();
    for (int i = 0; i < names.size(); i++) {
      int column = i;
      joined.add(join.apply(names.get(i), results.stream().map(r -> r.get(column)).toList()));
    }
    return joined.build();
  }

  /** Runs all steps for a part of the batch. */
  private <R> R part(Map<String, Tensor> inputs, Function<Frame, R> read) {
    Workspace workspace = workspaces.poll();
    workspace = workspace == null ? new Workspace() : workspace;
    Frame frame = new Frame(Batches.size(inputs), workspace);
    inputs.forEach(frame::floats);
    for (IntegerPlan.Planned planned : plan.nodes()) {
      Node node = planned.node();
      if (!node.inputs().isEmpty()) {
        frame.shape(
            node.name(),
            node.op()
                .outputShape(node.inputs().stream().map(frame::shape).collect(toImmutableList())));
      }
      planned.steps().forEach(step -> step.run(frame));
    }
    R result = read.apply(frame);
    workspaces.push(workspace);
    return result;
  }

  /** Returns a number of examples that depends on batch and network only, not on the threads. */
  private static int partSize(int batch, Iterable<Shape> shapes) {
    long elements = 1;
    for (Shape shape : shapes) {
      elements += shape.known() ? shape.elements() : 0;
    }
    int share = (batch + MIN_PARTS - 1) / MIN_PARTS;
    return (int) Math.max(1, Math.min(share, PART_ELEMENTS / elements));
  }
}
