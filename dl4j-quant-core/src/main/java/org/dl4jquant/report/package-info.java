/**
 * What was done to a network, layer by layer, for people and for programs.
 *
 * <p>Start at {@link org.dl4jquant.report.QuantizationReport}: a table as DL4J's {@code summary()}
 * prints one, and the same as JSON.
 *
 * <p>Nothing here measures anything; it tells what a quantized model carries.
 */
@NullMarked
package org.dl4jquant.report;

import org.jspecify.annotations.NullMarked;
