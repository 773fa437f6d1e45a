/**
 * Numbers with laws: formats that map a real value to an integer code and back.
 *
 * <p>Start at {@link org.dl4jquant.format.Rounding}. Rounding, saturation and the step formula live
 * here and nowhere else.
 *
 * <p>Nothing here knows about tensors, statistics, networks or files; it is plain Java.
 */
@NullMarked
package org.dl4jquant.format;

import org.jspecify.annotations.NullMarked;
