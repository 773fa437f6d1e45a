/**
 * ONNX files at work in ONNX Runtime, and compared with the integer network.
 *
 * <p>Start at {@link org.dl4jquant.onnxruntime.OnnxNetwork}, which stands in for a DL4J network at
 * inference; {@link org.dl4jquant.onnxruntime.OnnxVerifier} compares codes, and {@link
 * org.dl4jquant.onnxruntime.IntegerKernels} tells what the processor does with 8-bit products.
 *
 * <p>The only package that needs {@code com.microsoft.onnxruntime:onnxruntime}, an optional
 * dependency. Nothing here writes ONNX files.
 */
@NullMarked
package org.dl4jquant.onnxruntime;

import org.jspecify.annotations.NullMarked;
