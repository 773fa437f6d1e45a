package org.dl4jquant.convert;

import java.util.BitSet;
import java.util.Optional;
import org.dl4jquant.dl4j.Dl4jLayer;
import org.dl4jquant.dl4j.Dl4jNetwork;
import org.dl4jquant.dl4j.Dl4jParameter;
import org.dl4jquant.dl4j.GraphReader;
import org.dl4jquant.dl4j.NetworkImage;
import org.dl4jquant.graph.Node;
import org.dl4jquant.graph.Weighted;
import org.dl4jquant.tensor.Tensor;

/**
 * Where in its parameter each weight of a graph lies: found by reading a copy of the network whose
 * weights are their own numbers.
 */
final class ParameterOrder {
  private static final int MOST = 1 << 24; // a float holds every number up to here

  private final NetworkImage numbered;

  private ParameterOrder(NetworkImage numbered) {
    this.numbered = numbered;
  }

  static ParameterOrder of(Dl4jNetwork network) {
    Dl4jNetwork copy = network.copy();
    for (Dl4jLayer layer : copy.layers()) {
      for (Dl4jParameter parameter : layer.parameters()) {
        if (parameter.isWeight() && parameter.value().length() <= MOST) {
          parameter.assign(numbers(parameter.tensor()));
        }
      }
    }
    return new ParameterOrder(GraphReader.read(copy));
  }

  private static Tensor numbers(Tensor tensor) {
    float[] numbers = new float[tensor.length()];
    for (int i = 0; i < numbers.length; i++) {
      numbers[i] = i;
    }
    return Tensor.of(numbers, tensor.shape());
  }

  /** Returns for each weight of a node its number in the parameter; nothing if it has none. */
  Optional<int[]> of(String name) {
    Node node = numbered.graph().node(name);
    if (!(node.op() instanceof Weighted op)) {
      return Optional.empty();
    }
    float[] numbers = op.weight().values();
    int[] order = new int[numbers.length];
    BitSet seen = new BitSet(order.length);
    for (int i = 0; i < order.length; i++) {
      order[i] = (int) numbers[i];
      boolean own = order[i] == numbers[i] && order[i] >= 0 && order[i] < order.length;
      if (!own || seen.get(order[i])) {
        return Optional.empty();
      }
      seen.set(order[i]);
    }
    return Optional.of(order);
  }
}
