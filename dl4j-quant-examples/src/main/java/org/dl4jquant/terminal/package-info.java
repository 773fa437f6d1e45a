/**
 * What the examples and the command line show while they work.
 *
 * <p>Start at {@link org.dl4jquant.terminal.Progress}: a bar on a terminal, plain lines elsewhere.
 */
@NullMarked
package org.dl4jquant.terminal;

import org.jspecify.annotations.NullMarked;
