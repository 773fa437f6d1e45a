/**
 * What flows through a network: representative data in, a profile of every value out.
 *
 * <p>Start at {@link org.dl4jquant.calibrate.Calibration}: {@code iterator -> feedForward of DL4J
 * -> profiles per node of the graph -> CalibrationResult}, whose parts can be combined.
 *
 * <p>Nothing here chooses a format or changes the network.
 */
@NullMarked
package org.dl4jquant.calibrate;

import org.jspecify.annotations.NullMarked;
