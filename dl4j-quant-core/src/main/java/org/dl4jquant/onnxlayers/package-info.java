/**
 * Writes as ONNX what a DL4J network computes in float: recurrent layers, embeddings, activation
 * functions and vertices.
 *
 * <p>Start at {@link org.dl4jquant.onnxlayers.LayerExport}, which an {@link
 * org.dl4jquant.onnx.OnnxExport} asks for every float function. What has an operation of its own in
 * the graph does not belong here.
 */
@NullMarked
package org.dl4jquant.onnxlayers;

import org.jspecify.annotations.NullMarked;
