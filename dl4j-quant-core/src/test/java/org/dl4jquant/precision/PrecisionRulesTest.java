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
  private static final LayerDescription ADD = new LayerDescription("add", "ElementWiseVertex", 0);
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
        "selector conv9 must select a layer with weights, found none of [block1_conv, block1_dense,"
            + " out]",
        assertThrows(IllegalArgumentException.class, () -> rules.apply(LAYERS)).getMessage());
    assertFails(
        "selector block2_conv must select a layer with weights, found none of [block1_conv,"
            + " block1_dense, out]; near: block1_conv",
        EIGHT.withWeightBits(LayerSelector.named("block2_conv"), 4));
    assertFails(
        "selector block1_convv* must select a layer or vertex, found none of [block1_conv, block1_dense,"
            + " out, add]; near: block1_conv, block1_dense",
        EIGHT.withActivationBits(LayerSelector.matching("block1_convv*"), 4));
    assertFails(
        "selector type:DenceLayer must select a layer or vertex, found none of [ConvolutionLayer,"
            + " DenseLayer, OutputLayer, ElementWiseVertex]; near: DenseLayer",
        EIGHT.withFloat(LayerSelector.ofKind("DenceLayer")));
    assertFails(
        "selector add must select a layer with weights, found none of [block1_conv, block1_dense,"
            + " out]",
        EIGHT.withWeightBits(LayerSelector.named("add"), 4));
  }

  private static void assertFails(String message, PrecisionRules rules) {
    assertEquals(
        message,
        assertThrows(IllegalArgumentException.class, () -> rules.apply(LAYERS, List.of(ADD)))
            .getMessage());
  }

  @Test
  void whatHasNoWeightsIsNamedOnlyIfARuleIsForWhatItGives() {
    PrecisionPlan plan =
        EIGHT
            .withWeightBits(LayerSelector.matching("*"), 4)
            .withActivationBits(LayerSelector.named("add"), 12)
            .apply(LAYERS, List.of(ADD, new LayerDescription("pool", "SubsamplingLayer", 0)));

    assertEquals(LayerPrecision.weights(8).withActivationBits(12), plan.of("add"));
    assertEquals(
        List.of("block1_conv", "block1_dense", "out", "add"), plan.layers().keySet().asList());
    assertEquals(
        LayerPrecision.FLOAT,
        EIGHT
            .withFloat(LayerSelector.ofKind("ElementWiseVertex"))
            .apply(LAYERS, List.of(ADD))
            .of("add"));
  }

  @Test
  void patternsInAPlanStandForWhatTheySelect() {
    LayerPrecision four = LayerPrecision.weights(4);
    LayerPrecision five = LayerPrecision.weights(5);
    LayerPrecision six = LayerPrecision.weights(6);
    PrecisionPlan plan =
        PrecisionPlan.uniform(LayerPrecision.weights(8))
            .with("block1_dense", six)
            .with("block1_*", four)
            .with("type:OutputLayer", five)
            .with(Target.ONNX);

    assertEquals(
        PrecisionPlan.uniform(LayerPrecision.weights(8))
            .with("block1_conv", four)
            .with("block1_dense", six)
            .with("out", five)
            .with(Target.ONNX),
        PlanPatterns.resolve(plan, LAYERS));
    assertEquals(
        "selector block3* must select a layer or vertex, found none of [block1_conv, block1_dense,"
            + " out]",
        assertThrows(
                IllegalArgumentException.class,
                () -> PlanPatterns.resolve(plan.with("block3*", four), LAYERS))
            .getMessage());
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
