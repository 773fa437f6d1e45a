package org.dl4jquant.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import java.util.function.ToDoubleFunction;
import org.dl4jquant.examples.BudgetWalk.Reach;
import org.dl4jquant.precision.LayerDescription;
import org.dl4jquant.precision.LayerPrecision;
import org.dl4jquant.precision.PrecisionPlan;
import org.junit.jupiter.api.Test;

final class BudgetWalkTest {
  private static final List<LayerDescription> LAYERS =
      List.of(
          new LayerDescription("a", "DenseLayer", 10),
          new LayerDescription("b", "DenseLayer", 20),
          new LayerDescription("c", "DenseLayer", 70));

  private final List<PrecisionPlan> evaluated = new ArrayList<>();

  private BudgetWalk walk(ToDoubleFunction<PrecisionPlan> accuracy) {
    return new BudgetWalk(
        LAYERS,
        PrecisionPlan.uniform(LayerPrecision.weights(8)),
        3,
        0.25,
        plan -> {
          evaluated.add(plan);
          return accuracy.applyAsDouble(plan);
        });
  }

  private static boolean low(PrecisionPlan plan, String layer) {
    return plan.of(layer).weightBits() == 3;
  }

  @Test
  void stopsBeforeTheFirstPlanOverTheBudgetAlsoIfALongerOneIsWithinIt() {
    BudgetWalk walk = walk(plan -> low(plan, "b") && !low(plan, "c") ? 0.5 : 1);
    assertEquals(new Reach(1, 0.1), walk.along(List.of("a", "b", "c")));
    assertEquals(new Reach(0, 0), walk.along(List.of("b", "c", "a")));
    assertEquals(new Reach(3, 1), walk.along(List.of("c", "b", "a")));
  }

  @Test
  void theBudgetItselfIsWithinTheBudgetAndNanNeverIs() {
    assertEquals(3, walk(plan -> low(plan, "a") ? 0.75 : 1).along(List.of("a", "b", "c")).layers());
    assertEquals(
        1, walk(plan -> low(plan, "b") ? Double.NaN : 1).along(List.of("a", "b", "c")).layers());
  }

  @Test
  void evaluatesEachSetOfLayersOnce() {
    BudgetWalk walk = walk(plan -> 1);
    walk.along(List.of("a", "b", "c"));
    assertEquals(4, evaluated.size());
    walk.along(List.of("b", "a", "c"));
    assertEquals(5, evaluated.size());
    walk.along(List.of("a", "b"));
    assertEquals(5, evaluated.size());
  }
}
