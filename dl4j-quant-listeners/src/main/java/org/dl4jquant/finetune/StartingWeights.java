package org.dl4jquant.finetune;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;
import org.deeplearning4j.nn.api.Model;
import org.dl4jquant.convert.QuantizedLayer;
import org.dl4jquant.convert.QuantizedModel;
import org.dl4jquant.convert.QuantizedParameter;
import org.dl4jquant.dl4j.Dl4jLayer;
import org.dl4jquant.dl4j.Dl4jNetwork;
import org.dl4jquant.dl4j.Dl4jParameter;
import org.dl4jquant.dl4j.FoldedNetwork;
import org.dl4jquant.format.UniformFormat;
import org.dl4jquant.internal.Checks;
import org.dl4jquant.tensor.QuantizedTensor;
import org.dl4jquant.tensor.Tensor;

/**
 * The numbers with which training starts: those that the codes of the model stand for. So training
 * begins where conversion ended, with rounding that heeds what comes of it, corrected biases, and
 * powers of two traded between layers. Floats that only have these as their nearest codes are the
 * worse start: the first updates undo what adaptive rounding has chosen.
 */
final class StartingWeights {
  /** A number farther than this from that of its code, in steps, is not what that was made of. */
  private static final double KNOWN = 1;

  private StartingWeights() {}

  /**
   * Returns a network of its own, in the form of the model: folded if activations are codes.
   *
   * @param network of which the model was made
   * @param floats the layers whose weights are those of the network, where the model has not scaled
   *     them: their codes are still to be chosen
   */
  static Dl4jNetwork of(QuantizedModel model, Model network, Predicate<String> floats) {
    Dl4jNetwork original = Dl4jNetwork.of(network);
    Dl4jNetwork start =
        model.activations().isEmpty() ? original.copy() : FoldedNetwork.of(original).network();
    Map<String, Dl4jParameter> rounded = new HashMap<>();
    for (Dl4jLayer layer : model.plainNetwork().layers()) {
      layer.parameters().forEach(own -> rounded.put(own.name(), own));
    }
    Map<String, QuantizedTensor> codes = new HashMap<>();
    for (QuantizedLayer layer : model.layers()) {
      for (QuantizedParameter own : layer.parameters()) {
        own.codes().ifPresent(tensor -> codes.put(layer.name() + "/" + own.key(), tensor));
      }
    }
    for (Dl4jLayer layer : start.layers()) {
      for (Dl4jParameter own : layer.parameters()) {
        Dl4jParameter like =
            Optional.ofNullable(rounded.get(own.name()))
                .orElseThrow(
                    () -> Checks.violated("model", "have parameter " + own.name(), "none"));
        Checks.that(
            like.value().length() == own.value().length(),
            "model",
            "be made of the network, with as many numbers in " + own.name(),
            like.value().length() + " instead of " + own.value().length());
        if (own.isWeight() && floats.test(layer.name()) && codes.containsKey(own.name())) {
          int[] shape = own.tensor().shape();
          own.assign(known(own.tensor(), codes.get(own.name())).reshape(shape));
        } else {
          own.value().assign(like.value().reshape(own.value().shape()));
        }
      }
    }
    return start;
  }

  private static Tensor known(Tensor floats, QuantizedTensor codes) {
    float[] values = floats.values().clone();
    float[] rounded = codes.dequantize().values();
    int[] channels = codes.granularity().channelOfEach(codes.shape());
    for (int i = 0; i < values.length; i++) {
      boolean far =
          codes.formats().get(channels[i]) instanceof UniformFormat uniform
              && Math.abs(values[i] - rounded[i]) > KNOWN * uniform.step();
      values[i] = far ? rounded[i] : values[i];
    }
    return Tensor.of(values, codes.shape());
  }
}
