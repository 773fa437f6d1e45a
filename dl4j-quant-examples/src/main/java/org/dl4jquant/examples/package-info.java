/**
 * The quickstart and one example per capability, each a {@code main} on bundled data.
 *
 * <p>Start at {@link org.dl4jquant.examples.DigitsQuickstart}. Every example prints what it does
 * and takes no argument by default.
 *
 * <p>Nothing here is needed to use the library.
 */
@NullMarked
package org.dl4jquant.examples;

import org.jspecify.annotations.NullMarked;
