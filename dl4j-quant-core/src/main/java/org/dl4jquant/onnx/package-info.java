/**
 * Networks as ONNX files: float, or with integer weights and QuantizeLinear/DequantizeLinear pairs.
 *
 * <p>Start at {@link org.dl4jquant.onnx.OnnxExport}, which gives an {@link
 * org.dl4jquant.onnx.OnnxModel}; {@link org.dl4jquant.onnx.OnnxOptions} chooses versions and
 * containers. A graph goes in, one emitter per kind of operation writes its nodes.
 *
 * <p>Nothing here runs a network or needs ONNX Runtime.
 */
@NullMarked
package org.dl4jquant.onnx;

import org.jspecify.annotations.NullMarked;
