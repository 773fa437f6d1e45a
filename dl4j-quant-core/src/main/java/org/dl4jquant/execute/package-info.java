/**
 * Integer-only inference: the reference that every other back end must equal, code by code.
 *
 * <p>Start at {@link org.dl4jquant.execute.IntegerNetwork}; {@code FloatNetwork} computes the float
 * graph, to verify transforms. {@code QuantizedGraph -> IntegerPlan -> steps -> codes}.
 *
 * <p>Inside, values are stored position by position with the channels last, so that all inner loops
 * run over contiguous memory. Nothing here chooses a format or knows DL4J.
 */
@NullMarked
package org.dl4jquant.execute;

import org.jspecify.annotations.NullMarked;
