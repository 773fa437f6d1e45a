/**
 * Files of labeled examples, read into arrays.
 *
 * <p>Start at {@link org.dl4jquant.datafile.LabeledExamples}, which reads NumPy, IDX and CSV files.
 * A file that cannot be read as announced gives an {@link
 * org.dl4jquant.datafile.InvalidDataFileException} that names it.
 *
 * <p>Nothing here knows about quantization.
 */
@NullMarked
package org.dl4jquant.datafile;

import org.jspecify.annotations.NullMarked;
