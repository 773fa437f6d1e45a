package org.dl4jquant.precision;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;

final class PrecisionRulesTest {
  private static final LayerDescription CONV = layer("block1_conv", "ConvolutionLayer");
  private static final LayerDescription DENSE = layer("block1_dense", "DenseLayer");
  private static final LayerDescription OUT = layer("out", "OutputLayer");
  private static final List<LayerDescription> LAYERS = List.of(CONV, DENSE, OUT);
  private static final PrecisionRules EIGHT = PrecisionRules.of(LayerPrecision.weights(8));

  @Test
  void laterRulesWin() {
    PrecisionPlan plan =
        EIGHT
            .withWeightBits(LayerSelector.matching("block1_*"), 4)
            .withWeightBits(LayerSelector.ofKind("DenseLayer"), 6)
            .withFloat(LayerSelector.named("out"))
            .apply(LAYERS);

    assertEquals(4, plan.of("block1_conv").weightBits());
    assertEquals(6, plan.of("block1_dense").weightBits());
    assertEquals(LayerPrecision.FLOAT, plan.of("out"));
  }

  @Test
  void aRuleThatSelectsNothingIsAnError() {
    PrecisionRules rules = EIGHT.withWeightBits(LayerSelector.named("conv9"), 4);

    assertEquals(
        "selector conv9 must select at least one of the layers [block1_conv, block1_dense, out],"
            + " found none",
        assertThrows(IllegalArgumentException.class, () -> rules.apply(LAYERS)).getMessage());
  }

  @Test
  void widthsAreCheckedAtOnce() {
    assertEquals(
        "weightBits must be between 2 and 16, or 32 for floats, found 1",
        assertThrows(
                IllegalArgumentException.class,
                () -> EIGHT.withWeightBits(LayerSelector.named("out"), 1))
            .getMessage());
    assertEquals(
        "activationBits must be between 4 and 16, or 32 for floats, found 3",
        assertThrows(IllegalArgumentException.class, () -> LayerPrecision.of(8, 3)).getMessage());
    assertEquals(
        "biasBits must be between 16 and 32, found 8",
        assertThrows(IllegalArgumentException.class, () -> LayerPrecision.FLOAT.withBiasBits(8))
            .getMessage());
  }

  @Test
  void globsMatchWholeNamesAndNothingElseIsSpecial() {
    assertTrue(LayerSelector.matching("block?_conv").selects(CONV));
    assertTrue(LayerSelector.matching("*").selects(OUT));
    assertFalse(LayerSelector.matching("block1").selects(CONV));
    assertFalse(LayerSelector.matching("block1.conv*").selects(CONV));
    assertTrue(LayerSelector.matching("a+(b)*").selects(layer("a+(b)1", "X")));
  }

  @Test
  void theTextFormSaysWhichSelectorItIs() {
    assertEquals(LayerSelector.named("out"), LayerSelector.parse("out"));
    assertEquals(LayerSelector.matching("b*"), LayerSelector.parse("b*"));
    assertEquals(LayerSelector.ofKind("LSTM"), LayerSelector.parse("type:LSTM"));
    assertEquals("type:LSTM", LayerSelector.parse("type:LSTM").toString());
  }

  private static LayerDescription layer(String name, String kind) {
    return new LayerDescription(name, kind, 10);
  }
}
