/**
 * Fixed-point and mixed-precision quantization for Deeplearning4j networks.
 *
 * <p>Start at {@link org.dl4jquant.Quantization}, which leads from a network to a {@link
 * org.dl4jquant.convert.QuantizedModel}; {@link org.dl4jquant.export.PackedArchive} and {@link
 * org.dl4jquant.export.PlainArchive} save one, {@link org.dl4jquant.report.QuantizationReport}
 * tells what was done.
 *
 * <p>Only the way in lives here; nothing imports it.
 */
@NullMarked
package org.dl4jquant;

import org.jspecify.annotations.NullMarked;
