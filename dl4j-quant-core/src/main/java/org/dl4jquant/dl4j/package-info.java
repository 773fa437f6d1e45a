/**
 * The bridge to Deeplearning4j, and the only place that knows its layer classes.
 *
 * <p>Start at {@link org.dl4jquant.dl4j.Dl4jNetwork}, one view of {@code MultiLayerNetwork} and
 * {@code ComputationGraph}; {@link org.dl4jquant.dl4j.ParameterLayout} says what each parameter is
 * and along which axes its output channels lie.
 *
 * <p>Nothing here decides a format or a precision.
 */
@NullMarked
package org.dl4jquant.dl4j;

import org.jspecify.annotations.NullMarked;
