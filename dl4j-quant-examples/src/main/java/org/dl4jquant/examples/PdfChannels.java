package org.dl4jquant.examples;

import com.google.common.collect.ImmutableList;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.deeplearning4j.nn.api.Model;
import org.dl4jquant.dl4j.Dl4jLayer;
import org.dl4jquant.dl4j.Dl4jNetwork;
import org.dl4jquant.dl4j.Dl4jParameter;
import org.dl4jquant.dl4j.FoldedNetwork;
import org.dl4jquant.dl4j.LayerOutput;
import org.dl4jquant.dl4j.Tensors;
import org.dl4jquant.tensor.Tensor;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The channels of a trained network: what its layers give, and the rows of its weights. */
final class PdfChannels {
  private static final int MOST = 20_000; // values of a channel
  private static final int MOST_UNITS = 16; // of a layer without maps

  private PdfChannels() {}

  /** What a channel carried; the arrays are its own. */
  static final class Channel {
    private final float[] seen;
    private final float[] all;

    /**
     * Takes both arrays.
     *
     * @param seen for the first examples
     * @param all for all examples
     */
    Channel(float[] seen, float[] all) {
      this.seen = seen;
      this.all = all;
    }

    float[] seen() {
      return seen;
    }

    float[] all() {
      return all;
    }
  }

  /**
   * Returns the channels of a network.
   *
   * @param few how many of the examples are seen by the profile
   */
  static ImmutableList<Channel> of(Model model, INDArray features, int few) {
    Dl4jNetwork network = FoldedNetwork.of(Dl4jNetwork.of(model)).network();
    List<Channel> channels = new ArrayList<>();
    for (LayerOutput output :
        network
            .layerOutputs(ImmutableList.of(features), ImmutableList.of(Optional.empty()))
            .values()) {
      add(channels, Tensors.of(output.value()), few);
    }
    for (Dl4jLayer layer : network.layers()) {
      for (Dl4jParameter parameter : layer.parameters()) {
        if (parameter.isWeight()) {
          float[] weights = parameter.tensor().values();
          channels.add(new Channel(weights, weights));
        }
      }
    }
    return ImmutableList.copyOf(channels);
  }

  private static void add(List<Channel> channels, Tensor value, int few) {
    int examples = value.size(0);
    int count = value.size(1);
    int positions = value.length() / examples / count;
    if (positions == 1) {
      int end = Math.min(examples, few) * count;
      float[] seen = Arrays.copyOf(value.values(), end);
      channels.add(new Channel(seen, thinned(value.values())));
      return;
    }
    for (int c = 0; c < Math.min(count, MOST_UNITS); c++) {
      float[] all = new float[examples * positions];
      for (int e = 0; e < examples; e++) {
        System.arraycopy(
            value.values(), (e * count + c) * positions, all, e * positions, positions);
      }
      float[] seen = Arrays.copyOf(all, Math.min(examples, few) * positions);
      channels.add(new Channel(seen, thinned(all)));
    }
  }

  private static float[] thinned(float[] values) {
    int stride = Math.max(1, values.length / MOST);
    float[] thinned = new float[values.length / stride];
    for (int i = 0; i < thinned.length; i++) {
      thinned[i] = values[i * stride];
    }
    return thinned;
  }
}
