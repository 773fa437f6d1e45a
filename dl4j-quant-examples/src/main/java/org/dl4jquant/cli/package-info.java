/**
 * The command line {@code dl4j-quant}: inspect, quantize, evaluate, export, verify and time
 * networks in files.
 *
 * <p>Start at {@code Main}. Every command prints its result to the output stream and what it is
 * doing to the error stream; it exits with 0, with 1 if it failed and with 2 if it was called
 * wrongly.
 *
 * <p>Nothing is computed here that the library cannot do when called from Java.
 */
@NullMarked
package org.dl4jquant.cli;

import org.jspecify.annotations.NullMarked;
