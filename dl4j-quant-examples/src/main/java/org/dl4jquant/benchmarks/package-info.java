/**
 * JMH benchmarks: how fast the library is, and what watching training costs.
 *
 * <p>Start at {@link org.dl4jquant.benchmarks.QuantizeAndPackBenchmark}, whose Javadoc has the
 * command that runs it; {@code org.openjdk.jmh.Main} runs them all. Machines are quiet or the
 * numbers are worthless.
 *
 * <p>Nothing here is needed to use the library.
 */
@NullMarked
package org.dl4jquant.benchmarks;

import org.jspecify.annotations.NullMarked;
