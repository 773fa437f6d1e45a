package org.dl4jquant.benchmarks;

import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import org.dl4jquant.execute.FloatNetwork;
import org.dl4jquant.format.FixedPointFormat;
import org.dl4jquant.format.Granularity;
import org.dl4jquant.format.Rounding;
import org.dl4jquant.graph.Activation;
import org.dl4jquant.graph.ActivationFormat;
import org.dl4jquant.graph.Add;
import org.dl4jquant.graph.Convolution;
import org.dl4jquant.graph.Dense;
import org.dl4jquant.graph.Extent;
import org.dl4jquant.graph.Flatten;
import org.dl4jquant.graph.GlobalPool;
import org.dl4jquant.graph.MaxPool;
import org.dl4jquant.graph.NetworkGraph;
import org.dl4jquant.graph.Node;
import org.dl4jquant.graph.Op;
import org.dl4jquant.graph.Padding;
import org.dl4jquant.graph.QuantizedGraph;
import org.dl4jquant.graph.QuantizedWeights;
import org.dl4jquant.graph.ScalarFunction;
import org.dl4jquant.graph.Softmax;
import org.dl4jquant.graph.Weighted;
import org.dl4jquant.graph.Window;
import org.dl4jquant.tensor.QuantizedTensor;
import org.dl4jquant.tensor.Tensor;

/**
 * Quantized graphs with random weights, of the shape that the networks of the examples have after
 * batch norm has been folded.
 */
final class HandMadeNetworks {
  private static final int SIZE = 28;
  private static final int BITS = 8;

  private final Random random = new Random(1);
  private final NetworkGraph.Builder graph = NetworkGraph.builder().input("image", 1, SIZE, SIZE);
  private int nodes;

  private HandMadeNetworks() {}

  /** LeNet for 28×28 images and ten classes. */
  static QuantizedGraph leNet() {
    return quantized(new HandMadeNetworks().leNetGraph());
  }

  /** The residual graph of depthwise-separable blocks for 28×28 images and ten classes. */
  static QuantizedGraph residual() {
    return quantized(new HandMadeNetworks().residualGraph());
  }

  private NetworkGraph leNetGraph() {
    String top = relu(convolution("image", 1, 20, 5, 1, Padding.NONE));
    top = relu(convolution(maxPool(top), 20, 50, 5, 1, Padding.NONE));
    top = relu(dense(add(new Flatten(), maxPool(top)), 800, 500));
    return graph.output(add(new Softmax(), dense(top, 500, 10))).build();
  }

  private NetworkGraph residualGraph() {
    String top = relu(convolution("image", 1, 16, 3, 1, Padding.SAME));
    int in = 16;
    int[] channels = {16, 32, 32};
    int[] strides = {1, 2, 1};
    for (int i = 0; i < channels.length; i++) {
      String wide = relu(depthwise(top, in, strides[i]));
      String branch = convolution(wide, in, channels[i], 1, 1, Padding.SAME);
      String shortcut =
          i == 1 ? convolution(top, in, channels[i], 1, strides[i], Padding.SAME) : top;
      top = relu(add(new Add(), branch, shortcut));
      in = channels[i];
    }
    String average = add(new GlobalPool(GlobalPool.Reduction.AVERAGE), top);
    return graph.output(add(new Softmax(), dense(average, in, 10))).build();
  }

  private String add(Op op, String... inputs) {
    String name = op.kind() + nodes++;
    graph.add(name, op, inputs);
    return name;
  }

  private String relu(String input) {
    return add(new Activation(ScalarFunction.relu()), input);
  }

  private String maxPool(String input) {
    Extent two = Extent.square(2);
    return add(new MaxPool(Window.of(two, two, Padding.NONE)), input);
  }

  private String convolution(
      String input, int in, int out, int kernel, int stride, Padding padding) {
    Tensor weight = random(Math.sqrt(2.0 / (in * kernel * kernel)), out, in, kernel, kernel);
    return add(
        new Convolution(weight, Tensor.zeros(out), Extent.square(stride), Extent.ONE, padding, 1),
        input);
  }

  private String depthwise(String input, int channels, int stride) {
    Tensor weight = random(Math.sqrt(2.0 / 9), channels, 1, 3, 3);
    return add(
        new Convolution(
            weight,
            Tensor.zeros(channels),
            Extent.square(stride),
            Extent.ONE,
            Padding.SAME,
            channels),
        input);
  }

  private String dense(String input, int in, int out) {
    return add(new Dense(random(Math.sqrt(2.0 / in), out, in), Tensor.zeros(out)), input);
  }

  private Tensor random(double scale, int... shape) {
    Tensor tensor = Tensor.zeros(shape);
    for (int i = 0; i < tensor.length(); i++) {
      tensor.values()[i] = (float) (random.nextGaussian() * scale);
    }
    return tensor;
  }

  private static QuantizedGraph quantized(NetworkGraph graph) {
    Tensor sample = new HandMadeNetworks().random(1, 4, 1, SIZE, SIZE);
    Map<String, Tensor> values = FloatNetwork.of(graph).values(Map.of("image", sample));
    QuantizedGraph.Builder builder = QuantizedGraph.builder(graph);
    QuantizedGraph soFar = builder.format("image", format(sample)).build();
    for (Node node : graph.nodes()) {
      if (node.op() instanceof Weighted op) {
        ActivationFormat input = soFar.format(node.input()).orElseThrow();
        builder.weights(
            node.name(),
            QuantizedWeights.onFinestGrid(op, weight(op), input, Rounding.HALF_EVEN, 32));
      }
      boolean clippedNext =
          graph
              .soleConsumer(node.name())
              .filter(next -> next.op() instanceof Activation)
              .isPresent();
      if (!node.op().keepsCodes() && !clippedNext && !(node.op() instanceof Softmax)) {
        Tensor value = values.get(node.name());
        builder.format(node.name(), format(Objects.requireNonNull(value)));
      }
      soFar = builder.build();
    }
    return soFar;
  }

  private static ActivationFormat format(Tensor value) {
    double maxAbs = 0;
    for (float x : value.values()) {
      maxAbs = Math.max(maxAbs, Math.abs(x));
    }
    return ActivationFormat.perTensor(FixedPointFormat.covering(maxAbs, BITS));
  }

  private static QuantizedTensor weight(Weighted op) {
    double maxAbs = 0;
    for (float x : op.weight().values()) {
      maxAbs = Math.max(maxAbs, Math.abs(x));
    }
    FixedPointFormat format = FixedPointFormat.covering(maxAbs, BITS);
    return QuantizedTensor.quantize(
        op.weight(), Granularity.perTensor(), List.of(format), Rounding.HALF_EVEN);
  }
}
