package org.dl4jquant.finetune;

import com.google.common.collect.ImmutableMap;
import com.google.common.math.LongMath;
import java.nio.FloatBuffer;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.BaseLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.dl4jquant.convert.QuantizedModel;
import org.dl4jquant.dl4j.FakeQuantizedActivation;
import org.dl4jquant.dl4j.FakeQuantizer;
import org.dl4jquant.dl4j.HostFloats;
import org.dl4jquant.stats.LogBins;
import org.dl4jquant.stats.LogHistogram;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Watches the logarithmic values of a network in training before they are quantized, so that their
 * levels can be searched again. Of each value of each forward pass at most {@value #MOST} elements
 * are counted, spread over all of it.
 */
final class LevelSearch {
  private static final int MOST = 1 << 16;

  private final Model network;
  private final UnaryOperator<String> moved;
  private final Map<String, LogHistogram> histograms = new TreeMap<>();

  /**
   * Prepares to watch a network.
   *
   * @param moved gives the name in the network of a layer of the model
   */
  LevelSearch(Model network, UnaryOperator<String> moved) {
    this.network = network;
    this.moved = moved;
  }

  /** Lets the network compute with the levels of a model, and counts afresh. */
  void place(QuantizedModel model) {
    histograms.clear();
    model
        .activations()
        .forEach(
            (name, format) -> {
              if (format.levels().isPresent()) {
                place(name, FakeQuantizer.of(format, 1));
              }
            });
  }

  /** A value that is joined of others has no function of its own, and needs no levels. */
  private void place(String name, FakeQuantizer quantizer) {
    Layer layer = FakeQuantizedWeights.configuration(network, moved.apply(name)).orElse(null);
    LogHistogram histogram = LogHistogram.create();
    if (layer instanceof ActivationLayer own
        && own.getActivationFn() instanceof FakeQuantizedActivation function) {
      own.setActivationFn(function.withResult(quantizer, seen -> count(seen, histogram)));
      histograms.put(name, histogram);
    } else if (layer instanceof BaseLayer own
        && own.getActivationFn() instanceof FakeQuantizedActivation function) {
      own.setActivationFn(function.withResult(quantizer, seen -> count(seen, histogram)));
      histograms.put(name, histogram);
    }
  }

  /** Copies of the network, such as those of several workers, may count at the same time. */
  private static void count(INDArray value, LogHistogram histogram) {
    long step = Math.max(1, (value.length() + MOST - 1) / MOST);
    while (LongMath.gcd(step, value.length()) > 1) {
      step++;
    }
    Optional<FloatBuffer> memory = HostFloats.of(value).map(HostFloats::buffer);
    double[] others = memory.isPresent() ? new double[0] : value.dup().data().asDouble();
    synchronized (histogram) {
      for (long i = 0; i < value.length(); i += step) {
        int at = (int) i;
        histogram.accept(memory.isPresent() ? memory.get().get(at) : (float) others[at]);
      }
    }
  }

  /** Returns what was seen since levels were placed, by the node of the value. */
  ImmutableMap<String, LogBins> seen() {
    ImmutableMap.Builder<String, LogBins> seen = ImmutableMap.builder();
    histograms.forEach(
        (name, histogram) -> {
          synchronized (histogram) {
            seen.put(name, histogram.snapshot());
          }
        });
    return seen.buildOrThrow();
  }
}
