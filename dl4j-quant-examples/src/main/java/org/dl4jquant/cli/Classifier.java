package org.dl4jquant.cli;

import com.google.common.collect.ImmutableList;
import java.util.Arrays;
import java.util.function.Function;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.CNN2DFormat;
import org.deeplearning4j.nn.conf.RNNFormat;
import org.deeplearning4j.nn.conf.layers.Cnn3DLossLayer;
import org.deeplearning4j.nn.conf.layers.CnnLossLayer;
import org.deeplearning4j.nn.conf.layers.Convolution3D;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.RnnLossLayer;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.dl4jquant.cli.LogitsNetwork.Last;
import org.dl4jquant.convert.QuantizedModel;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Something that tells classes apart, by whatever arithmetic.
 *
 * @param source what messages call it
 * @param model the network by which inputs and outputs are laid out
 * @param output the index of the output that tells the classes
 * @param last the activation that turns logits into probabilities
 * @param logits computes the values before that activation, examples along axis 0
 */
record Classifier(
    String source, Model model, int output, Last last, Function<INDArray[], INDArray> logits) {
  /**
   * Returns the classifier that runs a network by DL4J, in float.
   *
   * @param layout the network without quantization of values; maybe the same
   * @param output the index of the output that tells the classes
   */
  static Classifier dl4j(String source, Model layout, Model model, int output) {
    LogitsNetwork network = LogitsNetwork.of(model, output);
    return new Classifier(source, layout, output, network.last(), network::output);
  }

  /** Returns the classifier that computes in integers. */
  static Classifier integers(String source, QuantizedModel quantized, int output) {
    Model model = quantized.plainNetwork().model();
    IntegerLogits integers = IntegerLogits.of(quantized, output);
    return new Classifier(source, model, output, integers.last(), integers::output);
  }

  /**
   * Returns the classifier that runs an ONNX model.
   *
   * @param layout the network of which the model was made, which tells how its arrays are laid out
   */
  static Classifier onnx(String source, Model layout, byte[] model, int output) {
    int outputs = layout instanceof ComputationGraph graph ? graph.getNumOutputArrays() : 1;
    OnnxLogits network = OnnxLogits.of(source, model, output, outputs);
    return new Classifier(source, layout, output, network.last(), network::output);
  }

  /**
   * Computes the logits of some examples.
   *
   * @throws CommandFailedException if the network cannot take them, or does not give classes
   */
  Logits apply(INDArray... inputs) {
    INDArray computed = compute(inputs);
    if (computed.rank() < 2 || computed.size(0) != inputs[0].size(0)) {
      throw new CommandFailedException(
          source
              + ": must give one row of classes per example, found an output of shape "
              + Arrays.toString(computed.shape()));
    }
    int axis = channelsLast() ? computed.rank() - 1 : 1;
    if (computed.size(axis) == 1 && last != Last.SIGMOID) {
      throw new CommandFailedException(
          source + ": is no classifier: it has one output, which is not a sigmoid");
    }
    return new Logits(computed, axis);
  }

  private INDArray compute(INDArray... inputs) {
    try {
      return logits.apply(inputs);
    } catch (RuntimeException e) { // whatever DL4J throws at shapes that do not fit
      throw InputShapes.misfit(source, model, inputs, e);
    }
  }

  /** Whether the classes lie along the last axis of the output instead of axis 1. */
  private boolean channelsLast() {
    ImmutableList<org.deeplearning4j.nn.api.Layer> layers = LogitsNetwork.lastLayers(model, output);
    if (layers.isEmpty()) {
      return false;
    }
    Layer layer = layers.get(0).conf().getLayer();
    return (layer instanceof RnnOutputLayer output && output.getRnnDataFormat() == RNNFormat.NWC)
        || (layer instanceof RnnLossLayer loss && loss.getRnnDataFormat() == RNNFormat.NWC)
        || (layer instanceof CnnLossLayer pixels && pixels.getFormat() == CNN2DFormat.NHWC)
        || (layer instanceof Cnn3DLossLayer voxels
            && voxels.getDataFormat() == Convolution3D.DataFormat.NDHWC);
  }
}
