/**
 * Weights that live on a coarse grid and still learn: every weight keeps what is left of its
 * updates below the last digit.
 *
 * <p>Start at {@link org.dl4jquant.update.FineWeights}: an {@link org.dl4jquant.update.UpdateRule}
 * says the digits and the read-out, {@code start} takes the weights, {@code subtract} follows one
 * step of the optimizer, {@link org.dl4jquant.update.ResidualArchive} keeps the state in a file.
 *
 * <p>Nothing here knows about networks; it is plain Java.
 */
@NullMarked
package org.dl4jquant.update;

import org.jspecify.annotations.NullMarked;
