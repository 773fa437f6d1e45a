/**
 * From what was seen to a number format: pure functions without state.
 *
 * <p>A strategy takes values or a snapshot of statistics and a width, and returns formats: {@code
 * snapshot -> choose -> NumberFormat}. {@link org.dl4jquant.strategy.WeightedEntropy} and {@link
 * org.dl4jquant.strategy.WeightedEntropyActivations} are for fewer than 6 bits with fine-tuning.
 *
 * <p>Nothing here knows about tensors, networks or files; it is plain Java.
 */
@NullMarked
package org.dl4jquant.strategy;

import org.jspecify.annotations.NullMarked;
