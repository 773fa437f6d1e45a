package org.dl4jquant.dl4j;

import org.deeplearning4j.nn.conf.RNNFormat;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.recurrent.TimeDistributed;

/** A fully connected layer at each step of a sequence. */
final class TimeDistributedMapping implements LayerMapping {
  @Override
  public Value map(LayerScope layer, Value input) {
    TimeDistributed kind = layer.kind(TimeDistributed.class);
    Layer each = LayerMappings.thawed(kind.getUnderlying());
    boolean plain =
        each.getClass() == DenseLayer.class
            && !((DenseLayer) each).isHasLayerNorm()
            && Activations.hasNode(((DenseLayer) each).getActivationFn());
    if (!plain || input.perStep() || layer.shape(input).rank() != 2) {
      return layer.inFloat(PER_STEP, input);
    }
    Value sequence = layer.spatial(input, kind.getRnnDataFormat() == RNNFormat.NWC);
    Value steps = new Value(sequence.node(), Layout.STEPS);
    return sequence.at(new DenseMapping().map(layer.inside(each), steps).node());
  }
}
