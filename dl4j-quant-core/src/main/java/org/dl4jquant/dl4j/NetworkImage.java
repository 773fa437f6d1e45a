package org.dl4jquant.dl4j;

import com.google.common.collect.ImmutableMap;
import org.dl4jquant.graph.NetworkGraph;

/**
 * A DL4J network as a graph.
 *
 * <p>The node whose value is the output of layer X is named X. What a layer is made of besides is
 * named X/preactivation (the sums before the activation function, the logits before a softmax),
 * X/input (what the preprocessor gives), X/channelsFirst and so on. An identity has no node.
 *
 * @param graph computes what the network computes at inference without masks; weights are copies
 * @param floatReasons for each layer that stays float, wholly or in part, the reason
 * @param weights for each node with weights of a layer where they come from; a batch normalization
 *     or a constant has no entry
 * @param layouts for each node how its value is related to DL4J's array
 */
public record NetworkImage(
    NetworkGraph graph,
    ImmutableMap<String, String> floatReasons,
    ImmutableMap<String, WeightSource> weights,
    ImmutableMap<String, Layout> layouts) {}
