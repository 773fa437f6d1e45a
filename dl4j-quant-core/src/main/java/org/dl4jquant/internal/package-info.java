/**
 * The one place that words the errors of bad arguments: {@code <parameter> must <rule>, found
 * <value>}.
 *
 * <p>Start at {@link org.dl4jquant.internal.Checks}. Not part of the public interface; it may
 * change without notice.
 */
@NullMarked
package org.dl4jquant.internal;

import org.jspecify.annotations.NullMarked;
