package org.dl4jquant.dl4j;

import com.google.common.collect.Sets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.BaseLayer;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.DropoutLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.dl4jquant.graph.Activation;
import org.dl4jquant.graph.ActivationFormat;
import org.dl4jquant.graph.ChannelAffine;
import org.dl4jquant.graph.Input;
import org.dl4jquant.graph.Node;
import org.dl4jquant.graph.QuantizedGraph;
import org.dl4jquant.graph.Softmax;
import org.dl4jquant.graph.Weighted;
import org.dl4jquant.internal.Checks;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.activations.IActivation;

/**
 * Puts the quantization of values into a network's configuration: around the activation function of
 * the layer that gives a value where it has one, else as a preprocessor in front of whatever takes
 * it. In a ComputationGraph a vertex without an activation function is moved aside to {@code
 * name/exact}, and {@code name} is the vertex that quantizes.
 */
public final class FakeQuantizedNetwork {
  private final NetworkEditor editor;
  private final NetworkImage image;
  private final Map<String, FakeQuantizer> arguments = new LinkedHashMap<>();
  private final Map<String, FakeQuantizer> results = new LinkedHashMap<>();

  private FakeQuantizedNetwork(NetworkEditor editor, NetworkImage image) {
    this.editor = editor;
    this.image = image;
  }

  /**
   * Returns a network of its own that quantizes and dequantizes values. Those that are made of
   * logarithmic values alone, in the same format, are left as they are.
   *
   * @param network whose parameters are copied
   * @param image what {@link GraphReader} made of the network
   * @param formats by the name of the node
   * @throws IllegalArgumentException if a value has no place in the network where it could be
   *     quantized
   */
  public static Dl4jNetwork of(
      Dl4jNetwork network, NetworkImage image, Map<String, ActivationFormat> formats) {
    FakeQuantizedNetwork quantized = new FakeQuantizedNetwork(NetworkEditor.of(network), image);
    QuantizedGraph.Builder graph = QuantizedGraph.builder(image.graph());
    formats.forEach(graph::format);
    QuantizedGraph carriers = graph.build();
    formats.forEach(
        (name, format) -> {
          if (format.levels().isEmpty() || carriers.newLevels(name).isPresent()) {
            quantized.quantize(name, format);
          }
        });
    return quantized.build();
  }

  private void quantize(String name, ActivationFormat format) {
    Node node = image.graph().node(name);
    FakeQuantizer quantizer = FakeQuantizer.of(format, channelAxis(node));
    String layer = node.layer();
    if (node.op() instanceof Input) {
      editor.quantizeInput(name, FakeQuantizedPreProcessor.of(quantizer));
    } else if (name.equals(layer + "/preactivation")) {
      arguments.put(layer, quantizer);
    } else if (!name.equals(layer) && !name.equals(layer + "/softmax")) {
      throw Checks.violated("format", "be given to the value of a layer", "'" + name + "'");
    } else if (endsInActivation(node)) {
      results.put(layer, quantizer);
    } else {
      editor.quantizeOutput(layer, FakeQuantizedPreProcessor.of(quantizer));
    }
  }

  /** Returns the axis along which DL4J's array has the channels, the batch counted. */
  private int channelAxis(Node node) {
    boolean last = image.layouts().get(node.name()) == Layout.CHANNELS_LAST;
    return last ? image.graph().shape(node.name()).rank() : 1;
  }

  private boolean endsInActivation(Node node) {
    boolean activates =
        node.op() instanceof Activation
            || node.op() instanceof Softmax
            || (node.op() instanceof Weighted && !(node.op() instanceof ChannelAffine));
    return activates && editor.layers().contains(node.layer()) && activation(node.layer()) != null;
  }

  private @Nullable IActivation activation(String name) {
    Layer layer = editor.layer(name);
    if (layer instanceof ActivationLayer own) {
      return own.getActivationFn();
    }
    boolean ignored = layer instanceof DropoutLayer || layer instanceof BatchNormalization;
    return layer instanceof BaseLayer own && !ignored ? own.getActivationFn() : null;
  }

  private Dl4jNetwork build() {
    for (String name : Sets.union(arguments.keySet(), results.keySet())) {
      IActivation quantized =
          new FakeQuantizedActivation(
              Objects.requireNonNull(activation(name)), arguments.get(name), results.get(name));
      Layer layer = editor.layer(name);
      if (layer instanceof ActivationLayer own) {
        own.setActivationFn(quantized);
      } else {
        ((BaseLayer) layer).setActivationFn(quantized);
      }
    }
    return editor.build(Map.of());
  }
}
