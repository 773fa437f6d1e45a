package org.dl4jquant.finetune;

import com.google.common.primitives.ImmutableIntArray;
import java.util.Arrays;
import org.dl4jquant.convert.BiasGrid;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.shade.jackson.annotation.JsonAutoDetect;
import org.nd4j.shade.jackson.annotation.JsonAutoDetect.Visibility;
import org.nd4j.shade.jackson.annotation.JsonCreator;
import org.nd4j.shade.jackson.annotation.JsonProperty;

/** Biases on the grids of the integer sums that they belong to. Immutable. */
@JsonAutoDetect(
    fieldVisibility = Visibility.NONE,
    getterVisibility = Visibility.NONE,
    isGetterVisibility = Visibility.NONE)
final class BiasRounding implements ParameterGrid {
  private static final long serialVersionUID = 1L;

  @JsonProperty private final int bits;
  @JsonProperty private final int[] fractionalLengths;

  @JsonCreator
  BiasRounding(
      @JsonProperty("bits") int bits, @JsonProperty("fractionalLengths") int[] fractionalLengths) {
    this.bits = bits;
    this.fractionalLengths = fractionalLengths.clone();
  }

  static BiasRounding of(BiasGrid grid) {
    return new BiasRounding(grid.bits(), grid.fractionalLengths().toArray());
  }

  @Override
  public void quantize(INDArray master, INDArray target) {
    BiasGrid grid = new BiasGrid(bits, ImmutableIntArray.copyOf(fractionalLengths));
    for (int c = 0; c < fractionalLengths.length; c++) {
      target.putScalar(c, grid.round(c, master.getDouble(c)));
    }
  }

  @Override
  public void clip(INDArray master) {
    // Sums have room for every bias.
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof BiasRounding that
        && bits == that.bits
        && Arrays.equals(fractionalLengths, that.fractionalLengths);
  }

  @Override
  public int hashCode() {
    return bits * 31 + Arrays.hashCode(fractionalLengths);
  }

  @Override
  public String toString() {
    return bits + " bits on 2^-" + Arrays.toString(fractionalLengths);
  }
}
