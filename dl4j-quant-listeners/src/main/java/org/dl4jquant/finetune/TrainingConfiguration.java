package org.dl4jquant.finetune;

import com.google.common.collect.ImmutableMap;
import com.google.common.collect.Maps;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import org.deeplearning4j.nn.api.layers.IOutputLayer;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.InputPreProcessor;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.dropout.Dropout;
import org.deeplearning4j.nn.conf.graph.LayerVertex;
import org.deeplearning4j.nn.conf.graph.PreprocessorVertex;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.BaseLayer;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.DropoutLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.recurrent.Bidirectional;
import org.deeplearning4j.nn.conf.layers.wrapper.BaseWrapperLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.transferlearning.FineTuneConfiguration;
import org.dl4jquant.convert.QuantizedLayer;
import org.dl4jquant.convert.QuantizedModel;
import org.dl4jquant.convert.QuantizedParameter;
import org.dl4jquant.dl4j.Dl4jLayer;
import org.dl4jquant.dl4j.Dl4jNetwork;
import org.dl4jquant.dl4j.Dl4jParameter;
import org.dl4jquant.dl4j.FakeQuantizedActivation;
import org.dl4jquant.dl4j.FakeQuantizedNetwork;
import org.dl4jquant.dl4j.FakeQuantizedPreProcessor;
import org.dl4jquant.dl4j.FakeQuantizer;
import org.dl4jquant.dl4j.GraphReader;
import org.dl4jquant.dl4j.NetworkImage;
import org.dl4jquant.dl4j.ParameterRole;
import org.dl4jquant.format.FixedPointFormat;
import org.dl4jquant.graph.ActivationFormat;
import org.nd4j.linalg.activations.IActivation;

/** What DL4J's configuration of a network is changed to for fine-tuning. */
final class TrainingConfiguration {
  private TrainingConfiguration() {}

  /** Returns a network of its own whose values are quantized as in the model. */
  static Dl4jNetwork apply(Dl4jNetwork floats, QuantizedModel model, FineTuningOptions options) {
    Dl4jNetwork changed =
        edited(
            floats,
            layer -> configure(layer, options.changes(), options.dropout()),
            before -> before);
    return model.activations().isEmpty()
        ? changed
        : quantized(changed, model, options.steps().activations().isPresent());
  }

  /** Quantizes the values inside; normalizations become what integers compute. */
  private static Dl4jNetwork quantized(Dl4jNetwork network, QuantizedModel model, boolean learns) {
    fixNormalizations(network, model);
    NetworkImage image = GraphReader.read(network);
    ImmutableMap<String, ActivationFormat> inside =
        ImmutableMap.copyOf(
            Maps.filterKeys(
                model.activations(), name -> !isHead(network, image.graph().node(name).layer())));
    return edited(
        FakeQuantizedNetwork.of(network, image, inside),
        layer -> {
          fixNormalization(layer);
          if (learns) {
            learn(Dl4jLayer.unwrap(layer.getLayer()));
          }
        },
        before -> learns ? learned(before) : before);
  }

  private static void configure(
      NeuralNetConfiguration layer, Optional<FineTuneConfiguration> changes, boolean dropout) {
    changes.ifPresent(own -> own.applyToNeuralNetConfiguration(layer));
    if (!dropout) {
      leaveOutDropout(layer.getLayer());
    }
  }

  private static void leaveOutDropout(Layer layer) {
    layer.setIDropout(layer instanceof DropoutLayer ? new Dropout(1) : null);
    if (layer instanceof Bidirectional both) {
      leaveOutDropout(both.getFwd());
      leaveOutDropout(both.getBwd());
    } else if (layer instanceof BaseWrapperLayer wrapper) {
      leaveOutDropout(wrapper.getUnderlying());
    }
  }

  private static void fixNormalization(NeuralNetConfiguration layer) {
    if (layer.getLayer() instanceof BatchNormalization learned) {
      layer.setLayer(FixedNormalization.of(learned));
    }
  }

  private static void learn(Layer layer) {
    if (layer instanceof ActivationLayer own) {
      own.setActivationFn(learned(own.getActivationFn()));
    } else if (layer instanceof BaseLayer own) {
      own.setActivationFn(learned(own.getActivationFn()));
    }
  }

  private static IActivation learned(IActivation function) {
    return function instanceof FakeQuantizedActivation own
        ? own.result()
            .flatMap(TrainingConfiguration::steps)
            .<IActivation>map(
                grid -> new LearnedActivation(own.function(), own.argument().orElse(null), grid))
            .orElse(own)
        : function;
  }

  private static InputPreProcessor learned(InputPreProcessor before) {
    return before instanceof FakeQuantizedPreProcessor own
        ? steps(own.quantizer())
            .<InputPreProcessor>map(grid -> new LearnedPreProcessor(grid, own.next().orElse(null)))
            .orElse(own)
        : before;
  }

  /** Returns the steps of fixed-point formats; others are not learned. */
  private static Optional<StepGrid> steps(FakeQuantizer quantizer) {
    List<FixedPointFormat> fixed =
        quantizer.formats().stream()
            .filter(FixedPointFormat.class::isInstance)
            .map(FixedPointFormat.class::cast)
            .toList();
    return fixed.size() == quantizer.formats().size() && quantizer.gridLevels().isEmpty()
        ? Optional.of(StepGrid.of(fixed, quantizer.axes()))
        : Optional.empty();
  }

  /** Changes the configuration of every layer and builds the network anew. */
  private static Dl4jNetwork edited(
      Dl4jNetwork network,
      Consumer<NeuralNetConfiguration> change,
      UnaryOperator<InputPreProcessor> preProcessors) {
    if (network.isGraph()) {
      var graph = ComputationGraphConfiguration.fromJson(network.configuration());
      graph.setIterationCount(0);
      graph.setEpochCount(0);
      graph
          .getVertices()
          .values()
          .forEach(
              vertex -> {
                if (vertex instanceof LayerVertex layer) {
                  change.accept(layer.getLayerConf());
                } else if (vertex instanceof PreprocessorVertex own) {
                  own.setPreProcessor(preProcessors.apply(own.getPreProcessor()));
                }
              });
      return Dl4jNetwork.create(true, graph.toJson(), network.parameters().dup())
          .withInputShapes(network.inputShapes());
    }
    MultiLayerConfiguration layers = MultiLayerConfiguration.fromJson(network.configuration());
    layers.setIterationCount(0);
    layers.setEpochCount(0);
    layers.getConfs().forEach(change);
    layers.getInputPreProcessors().replaceAll((layer, before) -> preProcessors.apply(before));
    return Dl4jNetwork.create(false, layers.toJson(), network.parameters().dup())
        .withInputShapes(network.inputShapes());
  }

  /** Gives normalizations that stand alone the numbers that their codes stand for. */
  private static void fixNormalizations(Dl4jNetwork network, QuantizedModel model) {
    Map<String, Dl4jParameter> values = TrainingNetwork.parameters(network);
    for (QuantizedLayer layer : model.layers()) {
      for (QuantizedParameter parameter : layer.parameters()) {
        Dl4jParameter live = values.get(layer.name() + "/" + parameter.key());
        if (parameter.role() == ParameterRole.STATISTIC
            && parameter.codes().isPresent()
            && live != null) {
          live.assign(parameter.codes().get().dequantize());
        }
      }
    }
  }

  /**
   * What comes out of the network is left alone: DL4J's losses know their own functions, and many
   * bits change no gradient.
   */
  private static boolean isHead(Dl4jNetwork network, String layer) {
    if (network.model() instanceof ComputationGraph graph) {
      return graph.getLayer(layer) instanceof IOutputLayer;
    }
    MultiLayerNetwork layers = (MultiLayerNetwork) network.model();
    int index = layers.getLayerNames().indexOf(layer);
    return index >= 0 && layers.getLayer(index) instanceof IOutputLayer;
  }
}
