package org.dl4jquant.examples;

import java.util.function.LongFunction;
import org.deeplearning4j.nn.api.Model;

/**
 * One kind of network on one data set, for studies of what happens in training.
 *
 * @param network of a seed, not yet trained
 * @param data of a seed
 * @param epochs of training
 * @param more epochs after that, of which the scores of training are, and the weights before which
 *     are a second reference
 */
record TrainingSubject(
    String name, LongFunction<Model> network, LongFunction<Split> data, int epochs, int more) {}
