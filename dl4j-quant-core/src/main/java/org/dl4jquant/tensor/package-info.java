/**
 * Arrays with a shape, as floats or as packed integer codes, and the loops between the two.
 *
 * <p>Start at {@link org.dl4jquant.tensor.Tensor} and {@link org.dl4jquant.tensor.QuantizedTensor}:
 * {@code Tensor -> QuantizedTensor.quantize -> codes -> dequantize -> Tensor}. {@link
 * org.dl4jquant.tensor.TensorCodec} does the same on bare arrays, in place and without allocating.
 *
 * <p>Nothing here knows how a format is chosen, nor about networks; it is plain Java on primitive
 * arrays.
 */
@NullMarked
package org.dl4jquant.tensor;

import org.jspecify.annotations.NullMarked;
