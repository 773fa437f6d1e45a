/**
 * Integer networks as C source.
 *
 * <p>Start at {@link org.dl4jquant.export.c.CHeader}: it writes one C99 header with the weights,
 * the formats and loops that compute the same codes as {@code IntegerNetwork}, without floats,
 * libraries or memory allocation.
 *
 * <p>It is for dense and convolutional networks with pooling and additions; everything else is
 * refused by name. Nothing here decides a number.
 */
@NullMarked
package org.dl4jquant.export.c;

import org.jspecify.annotations.NullMarked;
