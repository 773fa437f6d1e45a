package org.dl4jquant.dl4j;

import java.util.Optional;

/**
 * Where the weights of a node come from.
 *
 * @param layer the name of the layer
 * @param weight DL4J's key of the weight within the layer
 * @param bias DL4J's key of the bias; absent if the bias is zero or does not stem from a parameter
 */
public record WeightSource(String layer, String weight, Optional<String> bias) {}
