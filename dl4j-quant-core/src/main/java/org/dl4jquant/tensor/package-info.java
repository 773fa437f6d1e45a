/**
 * Arrays with a shape, as floats or as packed integer codes, and the loops between the two.
 *
 * <p>Start at {@link org.dl4jquant.tensor.Tensor} and {@code QuantizedTensor}: {@code Tensor ->
 * QuantizedTensor.quantize -> codes -> dequantize -> Tensor}.
 *
 * <p>Nothing here knows how a format is chosen, nor about networks; it is plain Java on primitive
 * arrays.
 */
@NullMarked
package org.dl4jquant.tensor;

import org.jspecify.annotations.NullMarked;
