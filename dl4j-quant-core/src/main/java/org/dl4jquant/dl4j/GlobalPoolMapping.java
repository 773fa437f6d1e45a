package org.dl4jquant.dl4j;

import java.util.Arrays;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.dl4jquant.graph.GlobalPool;
import org.dl4jquant.graph.Reshape;
import org.dl4jquant.graph.Shape;

/** Pooling over all positions of an image or all steps of a sequence. */
final class GlobalPoolMapping implements LayerMapping {
  @Override
  public Value map(LayerScope layer, Value input) {
    GlobalPoolingLayer kind = layer.kind(GlobalPoolingLayer.class);
    int rank = layer.shape(input).rank();
    if (input.perStep() || kind.getPoolingType() == PoolingType.PNORM) {
      return layer.inFloat(
          input.perStep() ? PER_STEP : "pooling by a norm is computed in float", input);
    }
    int[] pooled = kind.getPoolingDimensions();
    boolean first = pooled == null || Arrays.equals(pooled, range(2, rank));
    boolean last = pooled != null && Arrays.equals(pooled, range(1, rank));
    if (!first && (!last || !kind.isCollapseDimensions())) {
      return layer.inFloat("it pools over axes " + Arrays.toString(pooled), input);
    }
    Value value = layer.spatial(input, last);
    GlobalPool op = new GlobalPool(reduction(kind.getPoolingType()));
    if (kind.isCollapseDimensions()) {
      return layer.add(op, Layout.AS_IN_DL4J, value);
    }
    Value collapsed = layer.add("pooled", op, Layout.AS_IN_DL4J, value);
    int[] ones = new int[rank];
    Arrays.fill(ones, 1);
    ones[0] = layer.shape(value).channels();
    return layer.add(new Reshape(Shape.of(ones)), Layout.AS_IN_DL4J, collapsed);
  }

  /** Returns {@code count - 1} axes from {@code start}, all of a value's but the channels. */
  private static int[] range(int start, int count) {
    int[] axes = new int[count - 1];
    Arrays.setAll(axes, i -> start + i);
    return axes;
  }

  private static GlobalPool.Reduction reduction(PoolingType type) {
    return switch (type) {
      case MAX -> GlobalPool.Reduction.MAX;
      case AVG -> GlobalPool.Reduction.AVERAGE;
      case SUM -> GlobalPool.Reduction.SUM;
      case PNORM -> throw new IllegalArgumentException("type must not be PNORM, found " + type);
    };
  }
}
