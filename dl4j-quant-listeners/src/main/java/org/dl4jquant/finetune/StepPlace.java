package org.dl4jquant.finetune;

import java.util.Map;
import java.util.Optional;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.InputPreProcessor;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.BaseLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.graph.vertex.impl.PreprocessorVertex;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Where a network in training has steps that are learned. Immutable; networks are not. */
sealed interface StepPlace {
  /** Returns the steps of a network; empty if it has none here. */
  Optional<StepGrid> grid(Model network);

  /** Lets a network compute with other steps. */
  void put(Model network, StepGrid grid);

  /**
   * Returns the gradient of the steps after a backward pass, and takes away that of the weights or
   * values that lie outside; empty if the pass did not come here.
   */
  Optional<double[]> gradient(Model network);

  /** The weight noise of a layer. */
  record OfParameter(String layer, String key) implements StepPlace {
    @Override
    public Optional<StepGrid> grid(Model network) {
      return FakeQuantizedWeights.grid(network, layer, key)
          .filter(StepGrid.class::isInstance)
          .map(StepGrid.class::cast);
    }

    @Override
    public void put(Model network, StepGrid grid) {
      FakeQuantizedWeights.replace(network, layer, key, grid);
    }

    @Override
    public Optional<double[]> gradient(Model network) {
      String name =
          network instanceof MultiLayerNetwork layers
              ? String.valueOf(layers.getLayerNames().indexOf(layer))
              : layer;
      String full = name + "_" + key;
      Map<String, INDArray> gradients = network.gradient().gradientForVariable();
      INDArray weights = network.getParam(full);
      return Optional.ofNullable(gradients.get(full)) // a frozen layer has none
          .map(gradient -> grid(network).orElseThrow().gradient(weights, gradient, 1));
    }
  }

  /** The activation function of a layer. */
  record OfActivation(String layer) implements StepPlace {
    private Optional<LearnedActivation> find(Model network) {
      Layer found = FakeQuantizedWeights.configuration(network, layer).orElse(null);
      IActivation function =
          found instanceof ActivationLayer own
              ? own.getActivationFn()
              : found instanceof BaseLayer base ? base.getActivationFn() : null;
      return function instanceof LearnedActivation learned
          ? Optional.of(learned)
          : Optional.empty();
    }

    @Override
    public Optional<StepGrid> grid(Model network) {
      return find(network).map(LearnedActivation::grid);
    }

    @Override
    public void put(Model network, StepGrid grid) {
      LearnedActivation changed = find(network).orElseThrow().with(grid);
      Layer configuration = FakeQuantizedWeights.configuration(network, layer).orElseThrow();
      if (configuration instanceof ActivationLayer own) {
        own.setActivationFn(changed);
      } else {
        ((BaseLayer) configuration).setActivationFn(changed);
      }
    }

    @Override
    public Optional<double[]> gradient(Model network) {
      return find(network).flatMap(LearnedActivation::takeGradient);
    }
  }

  /**
   * What stands before a layer.
   *
   * @param name of the vertex, or the number of the layer
   */
  record OfPreProcessor(String name) implements StepPlace {
    private Optional<LearnedPreProcessor> find(Model network) {
      InputPreProcessor found = null;
      if (network instanceof MultiLayerNetwork layers) {
        int index = Integer.parseInt(name);
        found = layers.getLayerWiseConfigurations().getInputPreProcess(index);
      } else if (((ComputationGraph) network).getVertex(name) instanceof PreprocessorVertex own) {
        found = own.getPreProcessor();
      }
      return found instanceof LearnedPreProcessor own ? Optional.of(own) : Optional.empty();
    }

    @Override
    public Optional<StepGrid> grid(Model network) {
      return find(network).map(LearnedPreProcessor::grid);
    }

    @Override
    public void put(Model network, StepGrid grid) {
      find(network).orElseThrow().use(grid);
    }

    @Override
    public Optional<double[]> gradient(Model network) {
      return find(network).flatMap(LearnedPreProcessor::takeGradient);
    }
  }
}
