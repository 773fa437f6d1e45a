package org.dl4jquant.cli;

import com.google.common.collect.ImmutableList;
import java.util.Optional;
import java.util.function.Consumer;
import org.deeplearning4j.nn.api.Model;
import org.dl4jquant.Quantization;
import org.dl4jquant.convert.QuantizedModel;
import org.dl4jquant.dl4j.Dl4jNetwork;
import org.dl4jquant.dl4j.Tensors;
import org.dl4jquant.execute.IntegerNetwork;
import org.dl4jquant.onnxruntime.OnnxNetwork;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * One way to compute what a network gives, from DL4J's arrays to DL4J's arrays.
 *
 * @param name what tables call it
 * @param run computes one batch, an array per input
 */
record Contender(String name, Consumer<INDArray[]> run) {
  /** Returns DL4J's own {@code output}, with which the others are compared. */
  static Contender dl4j(Model model) {
    Dl4jNetwork network = Dl4jNetwork.of(model);
    return new Contender("DL4J", network::output);
  }

  /** Returns the integers of a model. */
  static Contender integers(QuantizedModel model) {
    IntegerNetwork network = model.toIntegerNetwork();
    ImmutableList<String> names = network.graph().graph().inputs();
    return new Contender(
        "integer",
        inputs ->
            network.outputs(InputTensors.of(names, inputs)).values().forEach(Tensors::toArray));
  }

  /** Returns a network in ONNX Runtime, which is released when the process ends. */
  static Contender onnx(String name, OnnxNetwork network) {
    return new Contender(name, network::outputs);
  }

  /**
   * Returns the integers that a float network becomes, for their speed only.
   *
   * @param any inputs that fit, from which the ranges of values are taken
   */
  static QuantizedModel converted(Model model, INDArray... any) {
    return Quantization.of(model).calibrate(any).convert();
  }

  /** Returns the model of a file, or what conversion makes of it. */
  static QuantizedModel integers(ModelFile file, INDArray... any) {
    Optional<QuantizedModel> own = file.quantized().filter(model -> !model.activations().isEmpty());
    return own.orElseGet(() -> converted(file.network(), any));
  }
}
