/**
 * Turns a network into integers: from a Deeplearning4j network and a plan to a {@link
 * org.dl4jquant.convert.QuantizedModel}.
 *
 * <p>Start at {@link org.dl4jquant.convert.Conversion}, which makes codes of weights and values, or
 * at {@link org.dl4jquant.convert.WeightConversion} for weights alone. A quantized model is the one
 * source of truth; files, reports and networks are derived from it.
 *
 * <p>Nothing here reads or writes files.
 */
@NullMarked
package org.dl4jquant.convert;

import org.jspecify.annotations.NullMarked;
