package org.dl4jquant.finetune;

import com.google.common.primitives.Ints;
import java.io.Serializable;
import org.dl4jquant.format.Granularity;
import org.dl4jquant.format.Granularity.PerChannel;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.shade.jackson.annotation.JsonSubTypes;
import org.nd4j.shade.jackson.annotation.JsonTypeInfo;

/** The numbers that the elements of one parameter may be. Immutable. */
@JsonTypeInfo(use = JsonTypeInfo.Id.NAME, property = "grid")
@JsonSubTypes({
  @JsonSubTypes.Type(value = WeightGrid.class, name = "codes"),
  @JsonSubTypes.Type(value = BiasRounding.class, name = "sums"),
  @JsonSubTypes.Type(value = LevelGrid.class, name = "levels"),
  @JsonSubTypes.Type(value = StepGrid.class, name = "steps"),
  @JsonSubTypes.Type(value = AffineGrid.class, name = "affine")
})
sealed interface ParameterGrid extends Serializable
    permits WeightGrid, BiasRounding, LevelGrid, StepGrid, AffineGrid {
  /**
   * Writes the allowed number nearest to each element of {@code master} to {@code target}.
   *
   * @param target of the shape, type and order of {@code master}; may be the same array
   */
  void quantize(INDArray master, INDArray target);

  /** Returns the axes along which formats differ; none if one format serves all. */
  static int[] axes(Granularity granularity) {
    return granularity instanceof PerChannel channels ? Ints.toArray(channels.axes()) : new int[0];
  }

  /** Limits the elements of {@code master} to the range of what is allowed, in place. */
  void clip(INDArray master);
}
