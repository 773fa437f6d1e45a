package org.dl4jquant.precision;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class PrecisionPlanTest {
  private static final PrecisionPlan PLAN =
      PrecisionPlan.uniform(LayerPrecision.of(8, 8))
          .with("conv \"1\"", LayerPrecision.weights(4))
          .with("out", LayerPrecision.FLOAT);

  @Test
  void jsonKeepsEverythingByteForByte() {
    PrecisionPlan read = PrecisionPlan.fromJson(PLAN.toJson(), "p.json");

    assertEquals(PLAN, read);
    assertEquals(PLAN.toJson(), read.toJson());
    assertEquals(4, read.of("conv \"1\"").weightBits());
    assertEquals(8, read.of("never named").weightBits());
  }

  @Test
  void aPlanNamesItsTarget() {
    for (Target target : Target.values()) {
      PrecisionPlan named = PLAN.with(target);
      String json = named.toJson();
      assertTrue(json.contains("\"target\" : \"" + target.word() + "\""), json);
      assertEquals(named, PrecisionPlan.fromJson(json, "p.json"));
      assertNotEquals(PLAN, named);
      assertEquals(named, PLAN.with(Target.ONNX).with(target));
      assertEquals(Optional.of(target), named.with("new", LayerPrecision.FLOAT).target());
      assertFails(
          json.replace(target.word(), "tpu"), "target must be integer or onnx, found 'tpu'");
    }
    assertEquals(Optional.empty(), PrecisionPlan.fromJson(PLAN.toJson(), "p.json").target());
  }

  @Test
  void theAverageWeighsLayersByTheirWeights() {
    Map<String, Long> counts = Map.of("conv \"1\"", 300L, "other", 100L);

    assertEquals(5.0, PLAN.averageWeightBits(counts));
    assertEquals(0.0, PLAN.averageWeightBits(Map.of()));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "\"version\" : 1|\"version\" : 2|version must be 1, found 2",
        "\"version\" : 1|\"version\" : \"1\"|version must be 1, found \"1\"",
        "\"layers\"|\"layer\"|plan must have only the fields",
        "\"weightBits\" : 4|\"weightBits\" : 17|weightBits must be between 2 and 16, or 32 for"
            + " floats, found 17",
        "\"weightBits\" : 4|\"weightBits\" : 4.5|weightBits must be an integer, found 4.5",
        "\"biasBits\" : 16|\"bias\" : 16|must have only the fields",
        "\"out\"|\"\"|layers must have names, found an empty one",
        "\"out\"|\"conv \\\"1\\\"\"|is not JSON: Duplicate field"
      })
  void aPlanThatCannotBeUsedIsRefusedByName(String from, String to, String message) {
    assertTrue(PLAN.toJson().contains(from), from);
    assertFails(PLAN.toJson().replace(from, to), message);
  }

  @Test
  void whatIsNoPlanIsRefused() {
    assertFails("hello", "is not JSON");
    assertFails("{}", "version must be 1, found nothing");
    assertFails("[]", "must be a JSON object, found ARRAY");
    assertFails(PLAN.toJson() + "x", "is not JSON");
    assertFails(
        "{\"version\":1,\"default\":{\"weightBits\":8,\"activationBits\":8,\"biasBits\":16},"
            + "\"layers\":7}",
        "layers must be an object, found NUMBER");
  }

  private static void assertFails(String json, String message) {
    String found =
        assertThrows(InvalidPlanException.class, () -> PrecisionPlan.fromJson(json, "p.json"))
            .getMessage();
    assertTrue(found.startsWith("p.json: ") && found.contains(message), found);
  }
}
