package org.dl4jquant.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import org.deeplearning4j.nn.api.Model;
import org.dl4jquant.Quantization;
import org.dl4jquant.precision.OutputClassPolicy;
import org.dl4jquant.precision.PrecisionPlan;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.ndarray.INDArray;

final class TwoWidthsTest {
  @Test
  void evaluatesWhatConversionByThePlanMakes() {
    for (Model network : List.of(Networks.batchNormCnn(8, 10, 1), Networks.residual(8, 10, 1))) {
      Quantization quantization = Quantization.of(network).outputClasses(OutputClassPolicy.NONE);
      List<INDArray> seen = new ArrayList<>();
      TwoWidths twoWidths = new TwoWidths(quantization, 3, m -> seen.add(m.params().dup()) ? 1 : 0);
      String layer = quantization.layers().get(1).name();
      PrecisionPlan first = quantization.plan();
      PrecisionPlan mixed = first.with(layer, first.of(layer).withWeightBits(3));
      for (PrecisionPlan plan : List.of(mixed, first, mixed)) {
        twoWidths.applyAsDouble(plan);
        assertEquals(quantization.convert(plan).toNetwork().params(), seen.get(seen.size() - 1));
      }
    }
  }
}
