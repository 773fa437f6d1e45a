package org.dl4jquant.dl4j;

import org.deeplearning4j.nn.conf.RNNFormat;
import org.deeplearning4j.nn.conf.layers.misc.RepeatVector;
import org.dl4jquant.graph.Extent;
import org.dl4jquant.graph.Reshape;
import org.dl4jquant.graph.Shape;
import org.dl4jquant.graph.Upsample;

/** A vector as every step of a sequence. */
final class RepeatMapping implements LayerMapping {
  @Override
  public Value map(LayerScope layer, Value input) {
    RepeatVector kind = layer.kind(RepeatVector.class);
    if (input.perStep() || layer.shape(input).rank() != 1) {
      return layer.inFloat(PER_STEP, input);
    }
    Layout layout =
        kind.getDataFormat() == RNNFormat.NWC ? Layout.CHANNELS_LAST : Layout.AS_IN_DL4J;
    Reshape step = new Reshape(Shape.of(layer.shape(input).size(0), 1));
    Value once = layer.add("once", step, layout, input);
    return layer.add(new Upsample(new Extent(1, kind.getN())), layout, once);
  }
}
