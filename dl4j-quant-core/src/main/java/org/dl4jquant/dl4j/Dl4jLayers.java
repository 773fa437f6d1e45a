package org.dl4jquant.dl4j;

import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableMap;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.deeplearning4j.nn.api.MaskState;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.api.layers.IOutputLayer;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.dl4jquant.graph.Shape;
import org.dl4jquant.internal.Checks;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A MultiLayerNetwork. A layer without a name, or with one that an earlier layer has, is called
 * {@code layer} and its index.
 */
final class Dl4jLayers extends Dl4jNetwork {
  private final MultiLayerNetwork network;

  Dl4jLayers(MultiLayerNetwork network, ImmutableMap<String, Shape> inputShapes) {
    super(inputShapes);
    this.network = network;
  }

  static Dl4jLayers create(String configuration, INDArray parameters) {
    MultiLayerNetwork network =
        new MultiLayerNetwork(MultiLayerConfiguration.fromJson(configuration));
    network.init(parameters, false);
    return new Dl4jLayers(network, ImmutableMap.of());
  }

  @Override
  public Model model() {
    return network;
  }

  @Override
  public boolean isGraph() {
    return false;
  }

  @Override
  public ImmutableList<Dl4jLayer> layers() {
    ImmutableList.Builder<Dl4jLayer> layers = ImmutableList.builder();
    Set<String> taken = new HashSet<>();
    for (int i = 0; i < network.getnLayers(); i++) {
      org.deeplearning4j.nn.api.Layer layer = network.getLayer(i);
      String own = layer.conf().getLayer().getLayerName();
      String name = own == null || !taken.add(own) ? "layer" + i : own;
      taken.add(name);
      layers.add(Dl4jLayer.of(name, layer, false));
    }
    return requireUniqueNames(layers.build());
  }

  @Override
  public ImmutableMap<String, String> vertices() {
    return layers().stream().anyMatch(layer -> layer.name().equals(LayersReader.INPUT))
        ? ImmutableMap.of()
        : ImmutableMap.of(LayersReader.INPUT, INPUT_KIND);
  }

  @Override
  public ImmutableList<Dl4jHead> heads() {
    ImmutableMap.Builder<String, HeadSearch.Step> steps = ImmutableMap.builder();
    ImmutableList<String> before = ImmutableList.of();
    for (Dl4jLayer layer : layers()) {
      steps.put(
          layer.name(),
          new HeadSearch.Step(layer.configuration(), layer.weightCount() > 0, false, before));
      before = ImmutableList.of(layer.name());
    }
    return HeadSearch.search(steps.buildOrThrow(), before);
  }

  @Override
  public String configuration() {
    return network.getLayerWiseConfigurations().toJson();
  }

  @Override
  public ImmutableList<INDArray> output(INDArray... inputs) {
    Checks.that(inputs.length == 1, "inputs", "be one array", inputs.length);
    return ImmutableList.of(network.output(inputs[0]));
  }

  @Override
  public ImmutableMap<String, LayerOutput> layerOutputs(
      ImmutableList<INDArray> inputs, ImmutableList<Optional<INDArray>> masks) {
    Checks.that(inputs.size() == 1, "inputs", "be one array", inputs.size());
    Checks.that(masks.size() == 1, "masks", "be one per input", masks.size());
    try {
      ImmutableList<Optional<INDArray>> outputMasks = outputMasks(masks.get(0));
      List<INDArray> values = values(inputs.get(0));
      ImmutableMap.Builder<String, LayerOutput> outputs = ImmutableMap.builder();
      ImmutableList<Dl4jLayer> layers = layers();
      for (int i = 0; i < layers.size(); i++) {
        outputs.put(layers.get(i).name(), new LayerOutput(values.get(i), outputMasks.get(i)));
      }
      return outputs.buildOrThrow();
    } finally {
      network.clearLayerMaskArrays();
    }
  }

  /** Does what {@code feedForward(input, false)} does, but for what layers overwrite. */
  private List<INDArray> values(INDArray input) {
    LayerWorkspaceMgr workspaces = LayerWorkspaceMgr.noWorkspaces();
    network.setInput(input);
    List<INDArray> values = new ArrayList<>();
    INDArray value = input;
    for (int i = 0; i < network.getnLayers(); i++) {
      var preprocessor = network.getLayerWiseConfigurations().getInputPreProcess(i);
      if (preprocessor != null) {
        value = preprocessor.preProcess(value, network.getInputMiniBatchSize(), workspaces);
      }
      var layer = network.getLayer(i);
      value = layer.activate(Overwriting.spared(layer, value), false, workspaces);
      layer.clear();
      values.add(value);
    }
    return values;
  }

  /** Sends the mask through the layers, as DL4J does, which also sets it in each of them. */
  private ImmutableList<Optional<INDArray>> outputMasks(Optional<INDArray> mask) {
    if (mask.isEmpty()) {
      return ImmutableList.copyOf(Collections.nCopies(network.getnLayers(), Optional.empty()));
    }
    int batch = Math.toIntExact(mask.get().size(0));
    Pair<INDArray, MaskState> current = new Pair<>(mask.get(), MaskState.Active);
    ImmutableList.Builder<Optional<INDArray>> masks = ImmutableList.builder();
    for (int i = 0; i < network.getnLayers(); i++) {
      Pair<INDArray, MaskState> sent = current;
      var preprocessor = network.getLayerWiseConfigurations().getInputPreProcess(i);
      if (preprocessor != null) {
        current =
            LayerOutput.orNone(
                preprocessor.feedForwardMaskArray(current.getFirst(), current.getSecond(), batch));
      }
      var layer = network.getLayer(i);
      current =
          LayerOutput.orNone(
              layer.feedForwardMaskArray(current.getFirst(), current.getSecond(), batch));
      // an output layer sends no mask on, but has one
      masks.add(LayerOutput.mask(layer instanceof IOutputLayer ? sent : current));
    }
    return masks.build();
  }

  @Override
  NetworkImage read(Map<String, Shape> shapes) {
    return LayersReader.read(network, layers(), shapes);
  }

  @Override
  public Dl4jNetwork withInputShapes(Map<String, Shape> shapes) {
    return new Dl4jLayers(network, ImmutableMap.copyOf(shapes));
  }

  @Override
  ImmutableList<String> inputNames() {
    return ImmutableList.of(LayersReader.INPUT);
  }

  @Override
  Optional<Shape> toldShape(String input) {
    return InputShapes.find(network.getLayerWiseConfigurations());
  }
}
