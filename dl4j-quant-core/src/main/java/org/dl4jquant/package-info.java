/**
 * Fixed-point and mixed-precision quantization for Deeplearning4j networks.
 *
 * <p>Start at {@link org.dl4jquant.Quantization}, which leads from a network to a {@link
 * org.dl4jquant.QuantizedModel}, which computes, tells what was done and saves itself.
 *
 * <p>Only the way in lives here; nothing else in this module imports it.
 */
@NullMarked
package org.dl4jquant;

import org.jspecify.annotations.NullMarked;
