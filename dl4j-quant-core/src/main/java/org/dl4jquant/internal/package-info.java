/**
 * What every package needs: the wording of argument errors ({@code <parameter> must <rule>, found
 * <value>}) and files that are written whole or not at all.
 *
 * <p>Start at {@link org.dl4jquant.internal.Checks} and {@link org.dl4jquant.internal.AtomicFile}.
 * Not part of the public interface; it may change without notice.
 */
@NullMarked
package org.dl4jquant.internal;

import org.jspecify.annotations.NullMarked;
