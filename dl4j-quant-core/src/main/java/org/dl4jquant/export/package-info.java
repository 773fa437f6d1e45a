/**
 * Quantized models as files.
 *
 * <p>Start at {@link org.dl4jquant.export.PackedArchive}, which keeps the integers and reads them
 * back, and {@link org.dl4jquant.export.PlainArchive}, which stock Deeplearning4j opens. Files are
 * written whole or not at all, and what is read is checked first.
 *
 * <p>Nothing here decides a number.
 */
@NullMarked
package org.dl4jquant.export;

import org.jspecify.annotations.NullMarked;
