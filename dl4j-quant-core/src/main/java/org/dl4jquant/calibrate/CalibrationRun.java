package org.dl4jquant.calibrate;

import static com.google.common.collect.ImmutableList.toImmutableList;
import static com.google.common.collect.ImmutableMap.toImmutableMap;

import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableMap;
import com.google.common.collect.ImmutableSet;
import com.google.common.primitives.Booleans;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.function.LongConsumer;
import org.dl4jquant.dl4j.Dl4jNetwork;
import org.dl4jquant.dl4j.GraphReader;
import org.dl4jquant.dl4j.LayerOutput;
import org.dl4jquant.dl4j.Layout;
import org.dl4jquant.dl4j.NetworkImage;
import org.dl4jquant.dl4j.Tensors;
import org.dl4jquant.execute.FloatNetwork;
import org.dl4jquant.graph.Activation;
import org.dl4jquant.graph.NetworkGraph;
import org.dl4jquant.graph.Node;
import org.dl4jquant.graph.Permute;
import org.dl4jquant.graph.Shape;
import org.dl4jquant.internal.Checks;
import org.dl4jquant.tensor.Tensor;
import org.nd4j.linalg.api.buffer.DataBuffer;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * One pass over data. DL4J gives the value of every node that is the output of a layer; those in
 * between, such as sums before an activation, are computed from them. Not thread-safe.
 */
final class CalibrationRun {
  private static final long PART_BYTES = 32L << 20; // of what the layers give for a part of a batch

  private final Dl4jNetwork network;
  private final LongConsumer progress;
  private final Consumer<ImmutableMap<String, Tensor>> inputs;
  private final String fingerprint;
  private final NetworkGraph graph;
  private final NetworkImage image;
  private final ImmutableList<NodeProfile> profiles;
  private final Set<String> unmatchedMasks = new TreeSet<>();
  private float[] scratch = new float[0];
  private final Set<String> brokenInputs = new TreeSet<>();
  private long examples;
  private long leftOut;

  CalibrationRun(
      Dl4jNetwork network,
      LongConsumer progress,
      Consumer<ImmutableMap<String, Tensor>> inputs,
      boolean logarithms) {
    this.network = network;
    this.progress = progress;
    this.inputs = inputs;
    this.fingerprint = network.fingerprint();
    this.image = GraphReader.read(network);
    this.graph = image.graph();
    this.profiles =
        ObservedNodes.of(graph).stream()
            .map(
                node ->
                    new NodeProfile(
                        node,
                        layout(node.name()),
                        observed(node.name()),
                        logarithms && Activation.rectifies(node.op())))
            .collect(toImmutableList());
  }

  /** Channels of an input that are on its last axis cannot be told apart: it is one whole. */
  private Shape observed(String node) {
    Shape shape = graph.shape(node);
    if (!graph.inputs().contains(node) || inputLayout(node) != Layout.CHANNELS_LAST) {
      return shape;
    }
    int[] sizes = shape.sizes().toArray();
    sizes[0] = Shape.UNKNOWN;
    return Shape.of(sizes);
  }

  private Layout layout(String node) {
    return Objects.requireNonNull(image.layouts().get(node));
  }

  /** Returns the layout of DL4J's array; an output layer folds its rows back into sequences. */
  private Layout layout(String node, INDArray value) {
    Layout layout = layout(node);
    Shape shape = graph.shape(node);
    if (layout != Layout.STEPS || value.rank() != shape.rank() + 1) {
      return layout;
    }
    return value.size(1) == shape.channels() ? Layout.AS_IN_DL4J : Layout.CHANNELS_LAST;
  }

  /**
   * Returns what was seen.
   *
   * @throws IllegalArgumentException if no example can be used
   */
  CalibrationResult result() {
    Checks.that(
        examples > 0,
        "calibration data",
        "hold an example whose features are finite",
        "NaN or infinity in %s of all %s examples".formatted(brokenInputs, leftOut));
    return new CalibrationResult(
        fingerprint,
        examples,
        leftOut,
        profiles.stream()
            .collect(toImmutableMap(profile -> profile.node().name(), NodeProfile::snapshot)),
        profiles.stream()
            .filter(profile -> profile.logarithms().isPresent())
            .collect(
                toImmutableMap(
                    profile -> profile.node().name(),
                    profile -> profile.logarithms().orElseThrow())),
        ImmutableList.copyOf(unmatchedMasks),
        network.inputShapes());
  }

  void accept(Batch batch) {
    ImmutableList<String> names = graph.inputs();
    Checks.that(
        batch.inputs().size() == names.size(),
        "inputs",
        "be those of " + names,
        batch.inputs().size());
    Map<String, Shape> shapes = new HashMap<>();
    for (int i = 0; i < names.size(); i++) {
      Shape actual = Shape.ofBatch(intShape(batch.inputs().get(i)));
      Checks.that(
          graph.shape(names.get(i)).accepts(actual),
          "input '" + names.get(i) + "'",
          "have shape " + graph.shape(names.get(i)) + " after the batch",
          actual);
      shapes.put(names.get(i), actual);
    }
    int most = partSize(shapes);
    for (Batch finite : finite(batch)) {
      acceptInParts(finite, most);
    }
  }

  private void acceptInParts(Batch batch, int most) {
    int parts = Math.max(1, (batch.size() + most - 1) / most);
    int part = (batch.size() + parts - 1) / parts;
    for (int from = 0; from < batch.size(); from += Math.min(part, batch.size() - from)) {
      acceptPart(batch.part(from, Math.min(batch.size(), from + part)));
      progress.accept(examples + leftOut);
    }
  }

  /** An input is as in DL4J; channels on its last axis show by what the graph does first. */
  private Layout inputLayout(String input) {
    ImmutableList<Node> consumers = graph.consumers(input);
    int last = graph.shape(input).rank() - 1;
    boolean moved =
        !consumers.isEmpty()
            && consumers.stream()
                .allMatch(node -> node.op() instanceof Permute p && p.axes().get(0) == last);
    return moved ? Layout.CHANNELS_LAST : layout(input);
  }

  /** Returns the batch without the examples that cannot be used, and counts them. */
  private ImmutableList<Batch> finite(Batch batch) {
    boolean[] broken = new boolean[batch.size()];
    ImmutableList.Builder<INDArray> inputs = ImmutableList.builder();
    for (int i = 0; i < batch.inputs().size(); i++) {
      String name = graph.inputs().get(i);
      FiniteExamples.Checked checked =
          FiniteExamples.check(batch.inputs().get(i), inputLayout(name), batch.masks().get(i));
      inputs.add(checked.array());
      for (int e = 0; e < broken.length; e++) {
        broken[e] |= checked.broken().get(e);
      }
      if (checked.broken().contains(true)) {
        brokenInputs.add(name);
      }
    }
    leftOut += Booleans.countTrue(broken);
    return new Batch(inputs.build(), batch.masks()).without(broken);
  }

  private static int[] intShape(INDArray array) {
    return Arrays.stream(array.shape()).mapToInt(Math::toIntExact).toArray();
  }

  private int partSize(Map<String, Shape> inputs) {
    long bytes =
        graph.shapes(inputs).values().stream()
            .mapToLong(shape -> (long) Float.BYTES * Math.max(1, shape.elements()))
            .sum();
    return (int) Math.max(1, PART_BYTES / bytes);
  }

  private void acceptPart(Batch batch) {
    ImmutableMap<String, LayerOutput> outputs = network.layerOutputs(batch.inputs(), batch.masks());
    Map<String, LayerOutput> given = new HashMap<>(outputs);
    for (int i = 0; i < graph.inputs().size(); i++) {
      given.put(
          graph.inputs().get(i), new LayerOutput(batch.inputs().get(i), batch.masks().get(i)));
    }
    Map<String, Tensor> computed = computed(given, batch.size());
    for (NodeProfile profile : profiles) {
      LayerOutput output = given.get(profile.node().name());
      boolean fits =
          output != null
              ? accept(profile, output, batch.size())
              : accept(
                  profile, named(computed, profile.node()), mask(given, profile), batch.size());
      if (!fits) {
        unmatchedMasks.add(profile.node().layer());
      }
    }
    giveInputs(batch);
    outputs.values().forEach(output -> close(output.value(), batch));
    examples += batch.size();
  }

  private void giveInputs(Batch batch) {
    boolean full = inputs instanceof CalibrationExamples.Collector collector && collector.isFull();
    if (full || batch.masks().stream().anyMatch(Optional::isPresent)) {
      return; // nobody needs the copies
    }
    ImmutableMap.Builder<String, Tensor> values = ImmutableMap.builder();
    for (int i = 0; i < graph.inputs().size(); i++) {
      String name = graph.inputs().get(i);
      INDArray value = batch.inputs().get(i);
      values.put(name, Tensors.inGraph(value, layout(name, value), batch.size()));
    }
    inputs.accept(values.buildOrThrow());
  }

  private static Tensor named(Map<String, Tensor> computed, Node node) {
    return Objects.requireNonNull(computed.get(node.name()));
  }

  private static Optional<INDArray> mask(Map<String, LayerOutput> given, NodeProfile profile) {
    LayerOutput layer = given.get(profile.node().layer());
    return layer == null ? Optional.empty() : layer.mask();
  }

  private boolean accept(NodeProfile profile, LayerOutput output, int batch) {
    INDArray value = output.value();
    int length = Math.toIntExact(value.length());
    if (scratch.length < length) {
      scratch = new float[length];
    }
    Layout layout = layout(profile.node().name(), value);
    int axis = layout == Layout.CHANNELS_LAST ? value.rank() - 1 : 1;
    if (output.mask().isEmpty() && Tensors.isDense(value) && profile.fits(value, axis)) {
      Tensors.copyBuffer(value, scratch);
      profile.acceptBuffer(scratch, length, value, axis);
      return true;
    }
    Tensors.copy(value, scratch);
    return profile.accept(scratch, length, value.shape(), layout, batch, output.mask());
  }

  private static boolean accept(
      NodeProfile profile, Tensor value, Optional<INDArray> mask, int batch) {
    long[] shape = Arrays.stream(value.shape()).asLongStream().toArray();
    return profile.accept(value.values(), value.length(), shape, Layout.AS_IN_DL4J, batch, mask);
  }

  /** Computes what DL4J does not give from what it gives. */
  private Map<String, Tensor> computed(Map<String, LayerOutput> given, int batch) {
    ImmutableSet<String> wanted =
        profiles.stream()
            .map(profile -> profile.node().name())
            .filter(name -> !given.containsKey(name))
            .collect(ImmutableSet.toImmutableSet());
    Map<String, Tensor> known = new HashMap<>();
    Set<String> needed = new TreeSet<>(wanted);
    for (Node node : graph.nodes().reverse()) {
      if (!needed.contains(node.name())) {
        continue;
      }
      LayerOutput output = given.get(node.name());
      if (output == null) {
        needed.addAll(node.inputs());
      } else {
        known.put(
            node.name(),
            Tensors.inGraph(output.value(), layout(node.name(), output.value()), batch));
      }
    }
    return FloatNetwork.of(graph).values(known, wanted);
  }

  /**
   * Gives the memory back at once; the garbage collector does not see how much it is. A value that
   * spans the whole of its buffer, such as what DL4J's convolutions give, is that buffer's last
   * user.
   */
  private static void close(INDArray value, Batch batch) {
    if (value.isEmpty() || value.wasClosed() || value.data().wasClosed()) {
      return; // there may be two values in one array
    }
    long address = value.data().address();
    if (batch.inputs().stream().anyMatch(in -> in.data().address() == address)) {
      return;
    }
    if (value.closeable()) {
      value.close();
      return;
    }
    DataBuffer whole = value.data().originalDataBuffer();
    if (whole != null
        && whole.closeable()
        && whole.length() == value.length()
        && Tensors.isDense(value)) {
      whole.close();
    }
  }
}
