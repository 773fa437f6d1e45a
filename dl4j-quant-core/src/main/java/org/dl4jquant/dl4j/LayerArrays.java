package org.dl4jquant.dl4j;

import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableMap;
import java.util.ArrayList;
import java.util.Optional;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.BaseLayer;
import org.deeplearning4j.nn.conf.weightnoise.IWeightNoise;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.dl4jquant.tensor.Tensor;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A layer of DL4J at inference. Layers keep their last input, so each thread borrows one of its
 * own; all share one copy of the parameters.
 */
final class LayerArrays implements ArrayFunction {
  private final String name;
  private final NeuralNetConfiguration configuration;
  private final int index;
  private final Optional<INDArray> parameters;
  private final DataType type;
  private final ConcurrentLinkedQueue<Layer> idle = new ConcurrentLinkedQueue<>();

  /**
   * A copy of a layer.
   *
   * @param name of the layer in its network
   * @param configuration wrappers and all
   * @param type of the network's parameters
   */
  LayerArrays(String name, NeuralNetConfiguration configuration, Layer layer, DataType type) {
    this.name = name;
    this.configuration = configuration.clone();
    this.index = layer.getIndex();
    this.parameters = layer.numParams() == 0 ? Optional.empty() : Optional.of(layer.params().dup());
    this.type = type;
  }

  @Override
  public FloatPart part() {
    org.deeplearning4j.nn.conf.layers.Layer bare = LayerMappings.thawed(configuration.getLayer());
    IWeightNoise noise =
        bare instanceof BaseLayer base && LayerMappings.usesWeightNoise(bare)
            ? base.getWeightNoise()
            : null;
    ImmutableMap.Builder<String, Tensor> copies = ImmutableMap.builder();
    Layer layer = create();
    layer
        .paramTable(false)
        .forEach(
            (key, value) -> {
              INDArray seen =
                  noise == null
                      ? value
                      : noise.getParameter(
                          layer, key, 0, 0, false, LayerWorkspaceMgr.noWorkspaces());
              copies.put(key, Tensors.of(seen).reshape(Tensors.shape(value)));
            });
    return new FloatPart.OfLayer(name, bare, copies.buildOrThrow());
  }

  @Override
  public INDArray apply(ImmutableList<INDArray> inputs) {
    Layer borrowed = idle.poll();
    Layer layer = borrowed == null ? create() : borrowed;
    INDArray output = run(layer, inputs.get(0));
    layer.clear();
    idle.add(layer);
    return output;
  }

  @Override
  public INDArray attempt(ImmutableList<INDArray> inputs) {
    return run(create(), inputs.get(0));
  }

  private static INDArray run(Layer layer, INDArray input) {
    layer.setInputMiniBatchSize(Math.toIntExact(input.size(0)));
    return layer.activate(input, false, LayerWorkspaceMgr.noWorkspaces()).dup('c');
  }

  private Layer create() {
    NeuralNetConfiguration own = configuration.clone();
    return own.getLayer()
        .instantiate(own, new ArrayList<>(), index, parameters.orElse(null), false, type);
  }
}
