package org.dl4jquant.convert;

import java.util.Optional;
import java.util.function.Function;
import org.dl4jquant.calibrate.CalibrationExamples;
import org.dl4jquant.stats.LogBins;
import org.dl4jquant.stats.TensorProfile;

/**
 * What is known of a network's values beforehand.
 *
 * @param profiles by node
 * @param logarithms of those after a ReLU, by node
 * @param examples of the calibration
 */
record Observations(
    Function<String, Optional<TensorProfile>> profiles,
    Function<String, Optional<LogBins>> logarithms,
    Optional<CalibrationExamples> examples) {}
