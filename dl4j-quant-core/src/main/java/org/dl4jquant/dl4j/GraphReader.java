package org.dl4jquant.dl4j;

import java.util.Map;
import org.dl4jquant.graph.Shape;

/**
 * Draws a network as a graph of operations, one small mapping for each kind of layer.
 *
 * <p>The graph computes what the network computes at inference without masks. Each input and output
 * has the layout of DL4J's array, but for one: where DL4J gives rows for the steps of all examples,
 * {@code [batch * time, features]}, the graph gives {@code [batch, features, time]}. Whatever has
 * no integer form is a {@code FloatFunction} that runs DL4J's own layer.
 */
public final class GraphReader {
  private GraphReader() {}

  /**
   * Returns the image of a network. Sizes of its inputs that neither the configuration nor {@link
   * Dl4jNetwork#inputShapes} tells are unknown (-1), such as the length of sequences and, in a
   * MultiLayerNetwork, height and width.
   *
   * @throws IllegalArgumentException if the network changes the batch, which no graph does, or does
   *     not fit itself; the message names the layer
   */
  public static NetworkImage read(Dl4jNetwork network) {
    return read(network, network.inputShapes());
  }

  /**
   * Returns the image of a network whose inputs have known shapes.
   *
   * @param inputShapes by the name of the input ({@code "input"} for a MultiLayerNetwork), batch
   *     excluded, axes as in DL4J's arrays; inputs that are absent get what the configuration tells
   */
  public static NetworkImage read(Dl4jNetwork network, Map<String, Shape> inputShapes) {
    return network.read(inputShapes);
  }
}
