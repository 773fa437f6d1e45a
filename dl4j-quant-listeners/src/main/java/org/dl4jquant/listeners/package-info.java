/**
 * What plugs into {@code fit()}: listeners that watch training, and listeners that carry it in
 * limited precision.
 *
 * <p>Start at {@link org.dl4jquant.listeners.ResidualGradientListener} or {@link
 * org.dl4jquant.listeners.AccumulatedUpdateListener}: {@code builder()} them, {@code attachTo} a
 * network, {@code fit} it.
 *
 * <p>No algorithm lives here; each listener feeds an accumulator or engine of the core.
 */
@NullMarked
package org.dl4jquant.listeners;

import org.jspecify.annotations.NullMarked;
