package org.dl4jquant.dl4j;

import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableMap;
import java.util.List;
import java.util.Map;
import org.deeplearning4j.nn.conf.InputPreProcessor;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.graph.Shape;
import org.dl4jquant.internal.Checks;

/** Draws a MultiLayerNetwork. Its input is called {@value #INPUT}. */
final class LayersReader {
  static final String INPUT = "input";

  private LayersReader() {}

  static NetworkImage read(
      MultiLayerNetwork network, ImmutableList<Dl4jLayer> layers, Map<String, Shape> inputShapes) {
    Checks.that(
        ImmutableMap.of(INPUT, 0).keySet().containsAll(inputShapes.keySet()),
        "inputShapes",
        "name inputs [" + INPUT + "]",
        inputShapes.keySet());
    MultiLayerConfiguration configuration = network.getLayerWiseConfigurations();
    Sketch sketch = new Sketch(configuration.getDataType());
    Shape shape = inputShapes.get(INPUT);
    Value value =
        sketch.input(inputName(layers), shape == null ? InputShapes.of(configuration) : shape);
    for (int i = 0; i < layers.size(); i++) {
      InputPreProcessor preprocessor = configuration.getInputPreProcess(i);
      NeuralNetConfiguration own = configuration.getConf(i);
      Dl4jLayer layer = layers.get(i);
      if (preprocessor != null) {
        value = Preprocessors.draw(sketch, layer.name(), preprocessor, value);
      }
      value = LayerMappings.draw(new LayerScope(sketch, layer, network.getLayer(i), own), value);
    }
    String last = layers.get(layers.size() - 1).name();
    return sketch.image(List.of(sketch.named(last, value)));
  }

  private static String inputName(ImmutableList<Dl4jLayer> layers) {
    boolean taken = layers.stream().anyMatch(layer -> layer.name().equals(INPUT));
    return taken ? INPUT + "/network" : INPUT;
  }
}
