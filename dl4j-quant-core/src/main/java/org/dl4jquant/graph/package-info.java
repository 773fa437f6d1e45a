/**
 * One immutable picture of a network: nodes in topological order over a closed set of operations.
 *
 * <p>Start at {@link org.dl4jquant.graph.NetworkGraph}. It is transformed ({@code
 * BatchNormFolding}, {@code PowerOfTwoEqualization}) and, with integer weights and activation
 * formats added, becomes a {@link org.dl4jquant.graph.QuantizedGraph}.
 *
 * <p>All tensors are channels-first with the batch in front. Nothing here computes a network, reads
 * a file or knows DL4J.
 */
@NullMarked
package org.dl4jquant.graph;

import org.jspecify.annotations.NullMarked;
