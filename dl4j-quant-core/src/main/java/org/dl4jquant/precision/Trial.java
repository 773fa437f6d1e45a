package org.dl4jquant.precision;

/**
 * One plan that a search has evaluated.
 *
 * @param lowPrecisionLayers how many layers the plan has at low precision
 * @param plan what was evaluated
 * @param averageWeightBits over all layers of the network
 * @param metric what the evaluator returned
 * @param loss how much worse that is than the baseline
 * @param fromLog whether the metric comes from the log of an interrupted search
 */
public record Trial(
    int lowPrecisionLayers,
    PrecisionPlan plan,
    double averageWeightBits,
    double metric,
    double loss,
    boolean fromLog) {}
