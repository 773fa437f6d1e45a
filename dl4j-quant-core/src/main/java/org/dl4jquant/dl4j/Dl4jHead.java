package org.dl4jquant.dl4j;

/**
 * A layer with weights that makes the numbers of an output: the output layer itself, or, where that
 * has none, the last layer with weights before it.
 *
 * @param layer its name
 * @param classes how many numbers an example, time step or pixel of the output has; at least 1
 * @param coupled whether a softmax couples them; false for sigmoids (multi-label) and regression
 */
public record Dl4jHead(String layer, int classes, boolean coupled) {}
