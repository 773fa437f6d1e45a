package org.dl4jquant.dl4j;

import com.google.common.collect.ImmutableList;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.deeplearning4j.nn.conf.InputPreProcessor;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.misc.FrozenLayer;
import org.deeplearning4j.nn.conf.layers.wrapper.BaseWrapperLayer;
import org.dl4jquant.tensor.Tensor;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Changes a copy of a network's configuration and builds a network of it. Every layer keeps its
 * name, and is given it where DL4J only numbers it. Not thread-safe.
 */
abstract sealed class NetworkEditor permits LayersEditor, GraphEditor {
  private final Dl4jNetwork original;
  private final Map<String, String> moved = new HashMap<>();

  NetworkEditor(Dl4jNetwork original) {
    this.original = original;
  }

  static NetworkEditor of(Dl4jNetwork network) {
    return network.isGraph() ? new GraphEditor(network) : new LayersEditor(network);
  }

  /** Returns the names of the layers in topological order; vertices are not layers. */
  abstract ImmutableList<String> layers();

  /** Returns the copied configuration of a layer, wrappers removed; changes to it count. */
  abstract Layer layer(String name);

  /** Returns what is done to the layer's input. */
  abstract Optional<InputPreProcessor> preProcessor(String name);

  /** Returns the layer whose value is this layer's input and goes nowhere else, if there is one. */
  abstract Optional<String> layerBefore(String name);

  /** Puts another layer in the place of one, with the same name. */
  abstract void replace(String name, Layer layer);

  /** Puts a layer before one; it takes over the preprocessor. */
  abstract void insertBefore(String name, String newName, Layer layer);

  /** Quantizes what one input of the network gives. */
  abstract void quantizeInput(String name, FakeQuantizedPreProcessor quantizer);

  /** Quantizes what a layer or vertex gives, whatever takes it. */
  abstract void quantizeOutput(String name, FakeQuantizedPreProcessor quantizer);

  /** Notes that a layer has another name than in the original. */
  final void moved(String from, String to) {
    moved.put(to, from);
  }

  /** Returns the changed configuration as JSON, with the number of its parameters. */
  abstract Changed changed();

  /** A configuration that is ready to be built. */
  record Changed(String configuration, DataType dataType, long parameters) {}

  /**
   * Builds the network.
   *
   * @param changed the parameters that differ from the original ones, by their names; every other
   *     parameter is copied from the parameter of the same name
   */
  final Dl4jNetwork build(Map<String, Tensor> changed) {
    Changed what = changed();
    INDArray parameters =
        what.parameters() == 0
            ? Nd4j.empty(what.dataType())
            : Nd4j.create(what.dataType(), 1, what.parameters());
    Dl4jNetwork built = Dl4jNetwork.create(original.isGraph(), what.configuration(), parameters);
    Map<String, INDArray> values = new HashMap<>();
    original
        .layers()
        .forEach(layer -> layer.parameters().forEach(p -> values.put(p.name(), p.value())));
    for (Dl4jLayer layer : built.layers()) {
      for (Dl4jParameter parameter : layer.parameters()) {
        Tensor replaced = changed.get(parameter.name());
        if (replaced != null) {
          parameter.assign(replaced);
          continue;
        }
        String from = moved.getOrDefault(layer.name(), layer.name());
        INDArray value = values.get(from + "/" + parameter.key());
        if (value == null) {
          throw new IllegalStateException("parameter " + parameter.name() + " has no value");
        }
        parameter.value().assign(value.reshape(parameter.value().shape()));
      }
    }
    return built;
  }

  /** Gives a layer its name, and also all that it wraps. */
  static void name(Layer layer, String name) {
    layer.setLayerName(name);
    if (layer instanceof FrozenLayer frozen) {
      name(frozen.getLayer(), name);
    } else if (layer instanceof BaseWrapperLayer wrapper) {
      name(wrapper.getUnderlying(), name);
    }
  }
}
