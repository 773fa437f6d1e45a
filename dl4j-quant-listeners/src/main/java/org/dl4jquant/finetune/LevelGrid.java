package org.dl4jquant.finetune;

import com.google.common.collect.ImmutableList;
import com.google.common.primitives.ImmutableDoubleArray;
import java.util.Arrays;
import java.util.List;
import org.dl4jquant.dl4j.Tensors;
import org.dl4jquant.format.Codebook;
import org.dl4jquant.format.Granularity;
import org.dl4jquant.format.Rounding;
import org.dl4jquant.internal.Checks;
import org.dl4jquant.tensor.QuantizedTensor;
import org.dl4jquant.tensor.Tensor;
import org.dl4jquant.tensor.TensorCodec;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.shade.jackson.annotation.JsonAutoDetect;
import org.nd4j.shade.jackson.annotation.JsonAutoDetect.Visibility;
import org.nd4j.shade.jackson.annotation.JsonCreator;
import org.nd4j.shade.jackson.annotation.JsonProperty;

/** The codebooks of one parameter, per tensor or per channel. Immutable. */
@JsonAutoDetect(
    fieldVisibility = Visibility.NONE,
    getterVisibility = Visibility.NONE,
    isGetterVisibility = Visibility.NONE)
final class LevelGrid implements ParameterGrid {
  private static final long serialVersionUID = 1L;

  @JsonProperty private final int bitWidth;
  @JsonProperty private final int[] shape;
  @JsonProperty private final int[] axes;
  @JsonProperty private final double[][] levels;
  @JsonProperty private final double[][] boundaries;
  private transient @Nullable TensorCodec codec;

  @JsonCreator
  LevelGrid(
      @JsonProperty("bitWidth") int bitWidth,
      @JsonProperty("shape") int[] shape,
      @JsonProperty("axes") int[] axes,
      @JsonProperty("levels") double[][] levels,
      @JsonProperty("boundaries") double[][] boundaries) {
    Checks.that(levels.length > 0, "levels", "not be empty", "none");
    this.bitWidth = bitWidth;
    this.shape = shape.clone();
    this.axes = axes.clone();
    this.levels = levels.clone();
    this.boundaries = boundaries.clone();
  }

  /** Returns the grid of codes whose formats are codebooks. */
  static LevelGrid of(String parameter, QuantizedTensor codes) {
    double[][] levels = new double[codes.formats().size()][];
    double[][] boundaries = new double[levels.length][];
    for (int c = 0; c < levels.length; c++) {
      Checks.that(
          codes.formats().get(c) instanceof Codebook,
          parameter,
          "have fixed-point formats or codebooks",
          codes.formats().get(c));
      Codebook book = (Codebook) codes.formats().get(c);
      levels[c] = book.levels().toArray();
      boundaries[c] = book.boundaries().toArray();
    }
    int[] axes = ParameterGrid.axes(codes.granularity());
    return new LevelGrid(codes.bitWidth(), codes.shape(), axes, levels, boundaries);
  }

  private TensorCodec codec() {
    TensorCodec known = codec;
    if (known == null) {
      ImmutableList.Builder<Codebook> books = ImmutableList.builder();
      for (int c = 0; c < levels.length; c++) {
        books.add(
            new Codebook(
                bitWidth,
                ImmutableDoubleArray.copyOf(levels[c]),
                ImmutableDoubleArray.copyOf(boundaries[c])));
      }
      Granularity granularity =
          axes.length == 0 ? Granularity.perTensor() : Granularity.perChannel(axes);
      List<Codebook> all = books.build();
      known = TensorCodec.of(granularity, all, shape);
      codec = known;
    }
    return known;
  }

  @Override
  public void quantize(INDArray master, INDArray target) {
    float[] values = Tensors.of(master).values().clone();
    codec().fakeQuantize(values, Rounding.HALF_EVEN);
    Tensors.copyInto(Tensor.of(values, shape).reshape(sizes(target)), target);
  }

  private static int[] sizes(INDArray array) {
    return Arrays.stream(array.shape()).mapToInt(Math::toIntExact).toArray();
  }

  @Override
  public void clip(INDArray master) {
    // Levels are means of clusters; weights beyond the outermost ones belong to them.
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof LevelGrid that
        && bitWidth == that.bitWidth
        && Arrays.equals(shape, that.shape)
        && Arrays.equals(axes, that.axes)
        && Arrays.deepEquals(levels, that.levels)
        && Arrays.deepEquals(boundaries, that.boundaries);
  }

  @Override
  public int hashCode() {
    return Arrays.deepHashCode(levels) * 31 + Arrays.hashCode(shape);
  }

  @Override
  public String toString() {
    return "levels " + Arrays.deepToString(levels);
  }
}
