/**
 * How many bits each layer gets, and the policies that decide it.
 *
 * <p>Start at {@link org.dl4jquant.precision.PrecisionPlan}. {@link
 * org.dl4jquant.precision.PrecisionRules} makes one from pins; {@link
 * org.dl4jquant.precision.LayerRanking} and {@link org.dl4jquant.precision.AccuracyBudgetSearch}
 * make one from training statistics (method B), {@link org.dl4jquant.precision.GreedySearch} from
 * these or from measurements.
 *
 * <p>Layers are names and numbers here; nothing knows a network.
 */
@NullMarked
package org.dl4jquant.precision;

import org.jspecify.annotations.NullMarked;
