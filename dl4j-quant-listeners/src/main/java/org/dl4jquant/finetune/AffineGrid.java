package org.dl4jquant.finetune;

import org.dl4jquant.format.AffineParameters;
import org.dl4jquant.format.NumberFormat;
import org.dl4jquant.internal.Checks;
import org.dl4jquant.tensor.QuantizedTensor;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.shade.jackson.annotation.JsonAutoDetect;
import org.nd4j.shade.jackson.annotation.JsonAutoDetect.Visibility;
import org.nd4j.shade.jackson.annotation.JsonCreator;
import org.nd4j.shade.jackson.annotation.JsonProperty;

/** The affine formats of one parameter, of zero point 0, per tensor or per channel. Immutable. */
@JsonAutoDetect(
    fieldVisibility = Visibility.NONE,
    getterVisibility = Visibility.NONE,
    isGetterVisibility = Visibility.NONE)
final class AffineGrid implements ParameterGrid {
  private static final long serialVersionUID = 1L;

  @JsonProperty private final StepGrid steps;

  @JsonCreator
  AffineGrid(@JsonProperty("steps") StepGrid steps) {
    this.steps = steps;
  }

  /** Returns the grid of codes whose formats are affine. */
  static AffineGrid of(String parameter, QuantizedTensor codes) {
    double[] scales = new double[codes.formats().size()];
    for (int c = 0; c < scales.length; c++) {
      NumberFormat format = codes.formats().get(c);
      Checks.that(
          format instanceof AffineParameters own && own.zeroPoint() == 0,
          parameter,
          "have affine formats of zero point 0",
          format);
      scales[c] = ((AffineParameters) format).step();
    }
    NumberFormat first = codes.formats().get(0);
    int[] axes = ParameterGrid.axes(codes.granularity());
    return new AffineGrid(
        new StepGrid(
            Math.toIntExact(first.minCode()), Math.toIntExact(first.maxCode()), axes, scales));
  }

  @Override
  public void quantize(INDArray master, INDArray target) {
    steps.quantize(master, target);
  }

  @Override
  public void clip(INDArray master) {
    steps.limit(master);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof AffineGrid that && steps.equals(that.steps);
  }

  @Override
  public int hashCode() {
    return steps.hashCode();
  }

  @Override
  public String toString() {
    return "affine " + steps;
  }
}
