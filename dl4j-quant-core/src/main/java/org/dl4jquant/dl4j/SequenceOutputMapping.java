package org.dl4jquant.dl4j;

import org.deeplearning4j.nn.conf.RNNFormat;
import org.deeplearning4j.nn.conf.layers.FeedForwardLayer;
import org.deeplearning4j.nn.conf.layers.RnnLossLayer;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;

/** A fully connected layer, or only an activation function, at each step of a sequence. */
final class SequenceOutputMapping implements LayerMapping {
  @Override
  public Value map(LayerScope layer, Value input) {
    FeedForwardLayer kind = layer.kind(FeedForwardLayer.class);
    if (input.perStep()
        || layer.shape(input).rank() != 2
        || !Activations.hasNode(kind.getActivationFn())) {
      return layer.inFloat("its activation function has no integer form", input);
    }
    RNNFormat format =
        kind instanceof RnnOutputLayer output
            ? output.getRnnDataFormat()
            : ((RnnLossLayer) kind).getRnnDataFormat();
    Value sequence = layer.spatial(input, format == RNNFormat.NWC);
    Value steps = new Value(sequence.node(), Layout.STEPS);
    Value output =
        kind instanceof RnnOutputLayer
            ? layer.weighted(DenseMapping.op(layer, true), "W", steps, kind.getActivationFn())
            : layer.activate(kind.getActivationFn(), steps);
    return sequence.at(output.node());
  }
}
