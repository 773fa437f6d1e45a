package org.dl4jquant.dl4j;

import com.google.common.collect.ImmutableList;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.deeplearning4j.nn.conf.InputPreProcessor;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.dl4jquant.internal.Checks;
import org.nd4j.linalg.activations.Activation;

/** Edits a MultiLayerNetwork. */
final class LayersEditor extends NetworkEditor {
  private record Place(
      String name, NeuralNetConfiguration layer, Optional<InputPreProcessor> preProcessor) {}

  private final MultiLayerConfiguration configuration;
  private final List<Place> places = new ArrayList<>();

  LayersEditor(Dl4jNetwork network) {
    super(network);
    configuration = MultiLayerConfiguration.fromJson(network.configuration());
    ImmutableList<Dl4jLayer> layers = network.layers();
    for (int i = 0; i < layers.size(); i++) {
      NeuralNetConfiguration layer = configuration.getConf(i);
      name(layer.getLayer(), layers.get(i).name());
      Optional<InputPreProcessor> before = Optional.ofNullable(configuration.getInputPreProcess(i));
      places.add(new Place(layers.get(i).name(), layer, before));
    }
  }

  private int index(String name) {
    for (int i = 0; i < places.size(); i++) {
      if (places.get(i).name().equals(name)) {
        return i;
      }
    }
    throw Checks.violated("layer", "be one of " + layers(), name);
  }

  @Override
  ImmutableList<String> layers() {
    return places.stream().map(Place::name).collect(ImmutableList.toImmutableList());
  }

  @Override
  Layer layer(String name) {
    return Dl4jLayer.unwrap(places.get(index(name)).layer().getLayer());
  }

  @Override
  Optional<InputPreProcessor> preProcessor(String name) {
    return places.get(index(name)).preProcessor();
  }

  @Override
  Optional<String> layerBefore(String name) {
    int i = index(name);
    return i == 0 ? Optional.empty() : Optional.of(places.get(i - 1).name());
  }

  private static NeuralNetConfiguration like(NeuralNetConfiguration other, Layer layer) {
    NeuralNetConfiguration copy = other.clone();
    copy.setLayer(layer);
    copy.clearVariables();
    return copy;
  }

  @Override
  void replace(String name, Layer layer) {
    int i = index(name);
    name(layer, name);
    Place old = places.get(i);
    places.set(i, new Place(name, like(old.layer(), layer), old.preProcessor()));
  }

  @Override
  void insertBefore(String name, String newName, Layer layer) {
    int i = index(name);
    name(layer, newName);
    Place next = places.get(i);
    places.set(i, new Place(name, next.layer(), Optional.empty()));
    places.add(i, new Place(newName, like(next.layer(), layer), next.preProcessor()));
  }

  @Override
  void quantizeInput(String name, FakeQuantizedPreProcessor quantizer) {
    quantizeBefore(0, quantizer);
  }

  private void quantizeBefore(int i, FakeQuantizedPreProcessor quantizer) {
    Place place = places.get(i);
    InputPreProcessor then =
        place.preProcessor().<InputPreProcessor>map(quantizer::followedBy).orElse(quantizer);
    places.set(i, new Place(place.name(), place.layer(), Optional.of(then)));
  }

  /** Quantizes in front of the next layer; behind the last one, in front of an empty one. */
  @Override
  void quantizeOutput(String name, FakeQuantizedPreProcessor quantizer) {
    int next = index(name) + 1;
    if (next == places.size()) {
      ActivationLayer nothing = new ActivationLayer(Activation.IDENTITY);
      nothing.setLayerName(name + "/codes");
      NeuralNetConfiguration layer = like(places.get(next - 1).layer(), nothing);
      places.add(new Place(nothing.getLayerName(), layer, Optional.empty()));
    }
    quantizeBefore(next, quantizer);
  }

  @Override
  Changed changed() {
    List<NeuralNetConfiguration> layers = new ArrayList<>();
    Map<Integer, InputPreProcessor> preProcessors = new HashMap<>();
    long parameters = 0;
    for (Place place : places) {
      int index = layers.size();
      place.preProcessor().ifPresent(before -> preProcessors.put(index, before));
      layers.add(place.layer());
      parameters += place.layer().getLayer().initializer().numParams(place.layer());
    }
    configuration.setConfs(layers);
    configuration.setInputPreProcessors(preProcessors);
    return new Changed(configuration.toJson(), configuration.getDataType(), parameters);
  }
}
