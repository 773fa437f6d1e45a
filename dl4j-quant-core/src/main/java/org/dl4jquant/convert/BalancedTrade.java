package org.dl4jquant.convert;

import com.google.common.collect.ImmutableList;
import com.google.common.primitives.ImmutableIntArray;
import java.util.Arrays;
import org.dl4jquant.format.FixedPointFormat;
import org.dl4jquant.graph.Weighted;
import org.dl4jquant.stats.ChannelProfile;
import org.dl4jquant.stats.TensorProfile;
import org.dl4jquant.strategy.WeightStrategy;
import org.dl4jquant.tensor.Tensor;

/**
 * The powers of two with which the expected squared error of the sums is least: the noise of a
 * value's codes, {@code step^2 / 12}, counts by the squared weights that meet it, that of a weight
 * by the mean square of the values. What a channel is multiplied by, its weights are divided by, so
 * that one noise falls as the other rises; where both balance, their sum is least. The steps follow
 * from the largest channel and the largest weight of each output, so that powers and steps are
 * found in turns. Of all turns, half the way to each, and the network as it is, the best is taken,
 * by the errors that the weights really have once they are codes.
 *
 * @param values the fractional lengths of the channels of each value that trades
 * @param finer by how much each channel can grow before any value needs a coarser format
 * @param uses of the values
 */
record BalancedTrade(
    ImmutableList<ImmutableIntArray> values, ImmutableIntArray finer, ImmutableList<Use> uses) {
  private static final int TURNS = 4;
  private static final int MOST = 8; // an exponent's magnitude
  private static final double UNIFORM = 12; // an even error's square is a twelfth of the step's
  private static final double LOG4 = Math.log(4);

  /** Weights of an operation, by the channels of the value that they meet. Holds arrays. */
  static final class Use {
    private final double[] meanSquares;
    private final double[] squaredWeights;
    private final double[][] largest;
    private final double products; // of a channel in one sum that it is part of
    private final double levels;
    private final int[] channelOf; // of each weight
    private final Tensor weight;
    private final WeightStrategy strategy;
    private final int bits;

    private Use(int channels, Weighted op, WeightStrategy strategy, int bits) {
      this.meanSquares = new double[channels];
      this.squaredWeights = new double[channels];
      this.largest = new double[op.outputChannels()][channels];
      this.levels = Math.scalb(1.0, bits - 1);
      this.weight = op.weight();
      this.channelOf = new int[weight.length()];
      this.strategy = strategy;
      this.bits = bits;
      int repeats = op.inputChannels() / channels;
      float[] weights = op.weight().values();
      int kernel = weights.length / (op.outputChannels() * op.slices());
      for (int i = 0; i < weights.length; i++) {
        int output = i / kernel / op.slices();
        int channel = op.inputChannel(output, i / kernel % op.slices()) / repeats;
        channelOf[i] = channel;
        squaredWeights[channel] += (double) weights[i] * weights[i];
        largest[output][channel] = Math.max(largest[output][channel], Math.abs(weights[i]));
      }
      this.products = (double) kernel * repeats;
    }

    /**
     * Describes a use.
     *
     * @param profile of the value
     * @param strategy chooses the formats of the weights
     * @param bits of a weight
     */
    static Use of(TensorProfile profile, Weighted op, WeightStrategy strategy, int bits) {
      Use use = new Use(profile.channels().size(), op, strategy, bits);
      for (int c = 0; c < use.meanSquares.length; c++) {
        ChannelProfile channel = profile.channels().get(c);
        use.meanSquares[c] = channel.count() == 0 ? 0 : channel.moments().meanSquare();
      }
      return use;
    }

    /** Returns the squared error of the sums that weights as codes make, over all outputs. */
    private double weightError(int[] powers) {
      int outputs = largest.length;
      float[] kernel = new float[weight.length() / outputs];
      double sum = 0;
      for (int output = 0; output < outputs; output++) {
        int from = output * kernel.length;
        boolean zero = true;
        for (int i = 0; i < kernel.length; i++) {
          kernel[i] = Math.scalb(weight.values()[from + i], -powers[channelOf[from + i]]);
          zero &= Math.abs(kernel[i]) < Float.MIN_NORMAL;
        }
        if (!zero) {
          FixedPointFormat format = strategy.choose(kernel, bits);
          for (int i = 0; i < kernel.length; i++) {
            double error = kernel[i] - format.fakeQuantize(kernel[i]);
            int channel = channelOf[from + i];
            sum += Math.scalb(error * error, 2 * powers[channel]) * meanSquares[channel];
          }
        }
      }
      return sum;
    }

    /** Adds, for each channel, the noise of its weights in all sums, before they are divided. */
    private void addNoise(int[] powers, double[] noises) {
      for (double[] output : largest) {
        double most = 0;
        for (int c = 0; c < powers.length; c++) {
          most = Math.max(most, Math.scalb(output[c], -powers[c]));
        }
        double step = most / levels;
        for (int c = 0; c < powers.length; c++) {
          noises[c] += output[c] > 0 ? products * step * step * meanSquares[c] : 0;
        }
      }
    }
  }

  ImmutableIntArray best() {
    int[] powers = new int[finer.length()];
    int[] best = powers;
    double least = error(powers);
    for (int turn = 0; turn < TURNS; turn++) {
      powers = next(powers);
      for (int[] candidate : new int[][] {powers, halved(powers)}) {
        double error = error(candidate);
        if (error < least) {
          least = error;
          best = candidate;
        }
      }
    }
    return ImmutableIntArray.copyOf(best);
  }

  private static int[] halved(int[] powers) {
    return Arrays.stream(powers).map(power -> power / 2).toArray();
  }

  /** The noise of all values in each channel, in squared steps that are not divided by 12. */
  private double[] valueNoises(int[] powers) {
    double steps = 0;
    for (ImmutableIntArray lengths : values) {
      int coarsest = Integer.MAX_VALUE;
      for (int c = 0; c < powers.length; c++) {
        coarsest = Math.min(coarsest, lengths.get(c) - powers[c]);
      }
      steps += Math.scalb(1.0, -2 * coarsest);
    }
    double[] noises = new double[powers.length];
    for (Use use : uses) {
      for (int c = 0; c < noises.length; c++) {
        noises[c] += steps * use.squaredWeights[c];
      }
    }
    return noises;
  }

  private double[] weightNoises(int[] powers) {
    double[] noises = new double[powers.length];
    uses.forEach(use -> use.addNoise(powers, noises));
    return noises;
  }

  private double error(int[] powers) {
    double[] ofValues = valueNoises(powers);
    double sum = 0;
    for (int c = 0; c < powers.length; c++) {
      sum += Math.scalb(ofValues[c], -2 * powers[c]) / UNIFORM;
    }
    for (Use use : uses) {
      sum += use.weightError(powers);
    }
    return sum;
  }

  /** Returns the powers that balance both noises of each channel, given the steps. */
  private int[] next(int[] powers) {
    double[] ofValues = valueNoises(powers);
    double[] ofWeights = weightNoises(powers);
    int[] next = new int[powers.length];
    for (int c = 0; c < next.length; c++) {
      double ratio = ofValues[c] / ofWeights[c];
      boolean both = ratio > 0 && Double.isFinite(ratio);
      double power = both ? Math.rint(Math.log(ratio) / LOG4 / 2) : 0;
      next[c] = (int) Math.max(-MOST, Math.min(Math.min(MOST, finer.get(c)), power));
    }
    return next;
  }
}
