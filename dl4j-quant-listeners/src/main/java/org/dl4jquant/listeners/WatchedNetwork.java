package org.dl4jquant.listeners;

import com.google.common.collect.ImmutableList;
import java.util.ArrayList;
import java.util.List;
import org.deeplearning4j.nn.api.Model;
import org.dl4jquant.dl4j.Dl4jLayer;
import org.dl4jquant.dl4j.Dl4jNetwork;
import org.dl4jquant.dl4j.Dl4jParameter;
import org.dl4jquant.stats.DifferenceReference;
import org.dl4jquant.stats.LayerDifference;
import org.dl4jquant.stats.ParameterDifference;
import org.dl4jquant.stats.TrainingCycle;
import org.dl4jquant.stats.WeightDifferenceAccumulator;
import org.dl4jquant.stats.WeightDifferences;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The weight tensors of one network. */
final class WatchedNetwork {
  private final Model model;
  private final INDArray parameters;
  private final ImmutableList<WatchedTensor> tensors;
  private final ImmutableList<LayerDifference> layers;

  WatchedNetwork(Model model, boolean perChannel) {
    this.model = model;
    this.parameters = model.params();
    ImmutableList.Builder<WatchedTensor> allTensors = ImmutableList.builder();
    ImmutableList.Builder<LayerDifference> allLayers = ImmutableList.builder();
    for (Dl4jLayer layer : Dl4jNetwork.of(model).layers()) {
      List<ParameterDifference> unseen = new ArrayList<>();
      for (Dl4jParameter parameter : layer.parameters()) {
        if (parameter.isWeight()) {
          WatchedTensor tensor = new WatchedTensor(model, parameter, layer.frozen(), perChannel);
          allTensors.add(tensor);
          unseen.add(tensor.unseen());
        }
      }
      if (!unseen.isEmpty()) {
        allLayers.add(
            new LayerDifference(layer.name(), layer.frozen(), ImmutableList.copyOf(unseen)));
      }
    }
    this.tensors = allTensors.build();
    this.layers = allLayers.build();
  }

  Model model() {
    return model;
  }

  ImmutableList<WatchedTensor> tensors() {
    return tensors;
  }

  /** Returns whether the network has got other arrays since. */
  boolean isStale() {
    return model.params() != parameters;
  }

  WeightDifferences unseen(DifferenceReference reference, TrainingCycle cycle) {
    return new WeightDifferences(reference, cycle, 0, layers);
  }

  void copyReference() {
    tensors.forEach(tensor -> named(tensor, tensor::copyReference));
  }

  /** Takes over the reference of a network of the same layers. */
  void copyReference(WatchedNetwork other) {
    for (int i = 0; i < tensors.size(); i++) {
      tensors.get(i).copyReference(other.tensors.get(i));
    }
  }

  void endCycle(WeightDifferenceAccumulator sums, boolean moveReference) {
    tensors.forEach(tensor -> named(tensor, () -> tensor.accept(sums, moveReference)));
    sums.endCycle();
  }

  private static void named(WatchedTensor tensor, Runnable work) {
    try {
      work.run();
    } catch (RuntimeException e) {
      throw new IllegalStateException(
          "layer "
              + tensor.parameter().layer()
              + ", parameter "
              + tensor.parameter().key()
              + ": "
              + e.getMessage(),
          e);
    }
  }
}
