/**
 * Mergeable statistics of the values that flow through a network.
 *
 * <p>Start at {@link org.dl4jquant.stats.Accumulator}: feed it with {@code accept}, join partial
 * results with {@code combine}, read it with {@code snapshot}. Snapshots are what strategies
 * consume.
 *
 * <p>Nothing here knows about networks or files; it is plain Java.
 */
@NullMarked
package org.dl4jquant.stats;

import org.jspecify.annotations.NullMarked;
