package org.dl4jquant.dl4j;

import com.google.common.primitives.ImmutableIntArray;
import com.google.common.primitives.Ints;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.deeplearning4j.nn.conf.layers.Convolution1DLayer;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.Deconvolution2D;
import org.deeplearning4j.nn.conf.layers.DepthwiseConvolution2D;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.params.BatchNormalizationParamInitializer;
import org.dl4jquant.format.Granularity;
import org.dl4jquant.graph.ChannelAffine;
import org.dl4jquant.graph.NetworkGraph;
import org.dl4jquant.graph.Node;
import org.dl4jquant.graph.PowerOfTwoEqualization;
import org.dl4jquant.graph.PowerOfTwoEqualization.Group;
import org.dl4jquant.graph.Weighted;
import org.dl4jquant.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * A network of which layers have traded powers of two ({@link PowerOfTwoEqualization}): it computes
 * the same, exactly, with other ranges in between.
 */
public final class EqualizedNetwork {
  private final NetworkImage image;
  private final Map<String, Dl4jParameter> parameters = new HashMap<>();
  private final Map<String, Layer> layers = new HashMap<>();

  private EqualizedNetwork(Dl4jNetwork copy) {
    this.image = GraphReader.read(copy);
    for (Dl4jLayer layer : copy.layers()) {
      layer.configuration().ifPresent(own -> layers.put(layer.name(), own));
      layer.parameters().forEach(parameter -> parameters.put(parameter.name(), parameter));
    }
  }

  /** Returns whether the parameters at both ends of a group can be scaled. */
  public static boolean canTrade(Dl4jNetwork network, Group group) {
    EqualizedNetwork own = new EqualizedNetwork(network);
    return Stream.concat(group.producers().stream(), group.consumers().stream())
        .allMatch(node -> own.source(node).isPresent());
  }

  /**
   * Returns a network of its own in which the values of each group are multiplied by powers of two.
   *
   * @param exponents one per output channel of the producers, -64 to 64
   * @throws IllegalArgumentException if a group cannot trade, or a parameter would leave the range
   *     in which floats are exact
   * @throws IllegalStateException if the result were not that network, to the last bit
   */
  public static Dl4jNetwork of(Dl4jNetwork network, Map<Group, ImmutableIntArray> exponents) {
    Dl4jNetwork copy = network.copy();
    EqualizedNetwork equalized = new EqualizedNetwork(copy);
    NetworkGraph expected = PowerOfTwoEqualization.apply(equalized.image.graph(), exponents);
    exponents.forEach(equalized::trade);
    requireEqual(expected, GraphReader.read(copy).graph());
    return copy;
  }

  private void trade(Group group, ImmutableIntArray exponents) {
    for (String name : group.producers()) {
      WeightSource producer = source(name).orElseThrow();
      Dl4jParameter weight = parameter(producer.layer(), producer.weight());
      Granularity outputs =
          isAffine(name) ? Granularity.perChannel(last(weight)) : weight.layout().granularity();
      scale(weight, outputs, 1, exponents);
      producer
          .bias()
          .map(key -> parameter(producer.layer(), key))
          .ifPresent(bias -> scale(bias, Granularity.perChannel(last(bias)), 1, exponents));
    }
    for (String name : group.consumers()) {
      WeightSource consumer = source(name).orElseThrow();
      Dl4jParameter weight = parameter(consumer.layer(), consumer.weight());
      int axis = isAffine(name) ? last(weight) : inputAxis(layers.get(consumer.layer()));
      scale(weight, Granularity.perChannel(axis), -1, exponents);
    }
  }

  private static int last(Dl4jParameter parameter) {
    return parameter.layout().shape().size() - 1;
  }

  private boolean isAffine(String node) {
    return image.graph().node(node).op() instanceof ChannelAffine;
  }

  /** Returns where the parameters of a node come from, if they are a layer's. */
  private Optional<WeightSource> source(String node) {
    if (!isAffine(node)) {
      return Optional.ofNullable(image.weights().get(node));
    }
    return Optional.of(
            new WeightSource(
                image.graph().node(node).layer(),
                BatchNormalizationParamInitializer.GAMMA,
                Optional.of(BatchNormalizationParamInitializer.BETA)))
        .filter(from -> parameters.containsKey(from.layer() + "/" + from.weight()));
  }

  private Dl4jParameter parameter(String layer, String key) {
    return Optional.ofNullable(parameters.get(layer + "/" + key))
        .orElseThrow(() -> new IllegalStateException("no parameter " + layer + "/" + key));
  }

  /** Returns the axis of the input channels in the layout of a layer's weight. */
  private static int inputAxis(@Nullable Layer layer) {
    if (layer instanceof DepthwiseConvolution2D) {
      return 2; // [height, width, in, multiplier]
    }
    boolean second =
        layer instanceof Convolution1DLayer // [kernel, in, out]
            || (layer instanceof ConvolutionLayer && !(layer instanceof Deconvolution2D));
    return second ? 1 : 0; // dense layers and deconvolutions have it first
  }

  /** Multiplies the elements of each channel, or of each run of features that a channel became. */
  private static void scale(
      Dl4jParameter parameter, Granularity along, int sign, ImmutableIntArray exponents) {
    Tensor tensor = parameter.tensor();
    int[] shape = Ints.toArray(parameter.layout().shape());
    int[] channelOf = along.channelOfEach(shape);
    int repeats = along.channels(shape) / exponents.length();
    float[] values = tensor.values().clone();
    for (int i = 0; i < values.length; i++) {
      values[i] = Math.scalb(values[i], sign * exponents.get(channelOf[i] / repeats));
    }
    parameter.assign(Tensor.of(values, shape));
  }

  private static void requireEqual(NetworkGraph expected, NetworkGraph found) {
    for (Node node : expected.nodes()) {
      if (node.op() instanceof Weighted op) {
        Weighted own = (Weighted) found.node(node.name()).op();
        if (!Arrays.equals(op.weight().values(), own.weight().values())
            || !Arrays.equals(op.bias().values(), own.bias().values())) {
          throw new IllegalStateException("'" + node.name() + "' was not scaled as it should be");
        }
      }
    }
  }
}
