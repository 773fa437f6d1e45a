/**
 * Files of labeled examples, read into DL4J's {@code DataSet}.
 *
 * <p>Start at {@link org.dl4jquant.datafile.IdxFile} and {@link org.dl4jquant.datafile.CsvFile}. A
 * file that cannot be read as announced gives an {@link
 * org.dl4jquant.datafile.InvalidDataFileException} that names it.
 *
 * <p>Nothing here knows about quantization.
 */
@NullMarked
package org.dl4jquant.datafile;

import org.jspecify.annotations.NullMarked;
