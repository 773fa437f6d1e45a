package org.dl4jquant.convert;

import com.google.common.primitives.ImmutableDoubleArray;
import java.util.Optional;
import java.util.function.Function;
import org.dl4jquant.graph.Crop;
import org.dl4jquant.graph.Deconvolution;
import org.dl4jquant.graph.Flatten;
import org.dl4jquant.graph.NetworkGraph;
import org.dl4jquant.graph.Node;
import org.dl4jquant.graph.Shape;
import org.dl4jquant.graph.Upsample;
import org.dl4jquant.graph.Weighted;
import org.dl4jquant.graph.ZeroPad;
import org.dl4jquant.stats.ChannelProfile;
import org.dl4jquant.stats.TensorProfile;
import org.dl4jquant.tensor.Tensor;

/**
 * Takes the mean error that rounded weights make out of the bias: {@code b[j] -= sum (Q(w) - w) *
 * E[x]} over the kernel, with the mean of each input channel from calibration, taken behind a max
 * pooling. Zeros of padding are not counted. A transposed convolution with more than one kernel
 * element stays as it is, because its outputs do not all see the same of them.
 */
final class BiasCorrection {
  private final NetworkGraph graph;
  private final Function<String, Optional<TensorProfile>> profiles;

  BiasCorrection(NetworkGraph graph, Function<String, Optional<TensorProfile>> profiles) {
    this.graph = graph;
    this.profiles = profiles;
  }

  /** Returns the corrected bias of a node with float weights, given the rounded ones. */
  Tensor corrected(Node node, Tensor rounded) {
    Weighted op = (Weighted) node.op();
    boolean oneKernel =
        !(op instanceof Deconvolution) || op.weight().size(2) * op.weight().size(3) == 1;
    return Optional.of(op)
        .filter(any -> oneKernel)
        .flatMap(any -> means(node.input(), op.inputChannels()))
        .map(means -> corrected(op, rounded, means))
        .orElse(op.bias());
  }

  private static Tensor corrected(Weighted op, Tensor rounded, ImmutableDoubleArray means) {
    float[] weights = op.weight().values();
    int area = weights.length / (op.outputChannels() * op.slices());
    double[] error = new double[op.outputChannels()];
    for (int i = 0; i < weights.length; i++) {
      int slice = i / area;
      int output = slice / op.slices();
      double mean = means.get(op.inputChannel(output, slice % op.slices()));
      error[output] += ((double) rounded.values()[i] - weights[i]) * mean;
    }
    float[] bias = op.bias().values().clone();
    for (int j = 0; j < bias.length; j++) {
      bias[j] = (float) (bias[j] - error[j]);
    }
    return Tensor.of(bias, bias.length);
  }

  /** Returns the mean of each channel, or of the channel that each feature was made of. */
  private Optional<ImmutableDoubleArray> means(String name, int channels) {
    Optional<ImmutableDoubleArray> own =
        profiles.apply(name).map(BiasCorrection::means).filter(all -> all.length() == channels);
    Node node = graph.node(name);
    if (own.isPresent()) {
      return own;
    }
    if (node.op() instanceof ZeroPad
        || node.op() instanceof Crop
        || node.op() instanceof Upsample) {
      return means(node.input(), channels);
    }
    int before =
        node.op() instanceof Flatten ? graph.shape(node.input()).channels() : Shape.UNKNOWN;
    return before < 1 || channels % before != 0
        ? Optional.empty()
        : means(node.input(), before).map(all -> repeated(all, channels / before));
  }

  private static ImmutableDoubleArray means(TensorProfile profile) {
    return ImmutableDoubleArray.copyOf(
        profile.channels().stream().mapToDouble(BiasCorrection::mean));
  }

  private static double mean(ChannelProfile channel) {
    return channel.count() == 0 ? 0 : channel.moments().mean();
  }

  private static ImmutableDoubleArray repeated(ImmutableDoubleArray means, int times) {
    ImmutableDoubleArray.Builder all = ImmutableDoubleArray.builder();
    means.forEach(
        mean -> {
          for (int i = 0; i < times; i++) {
            all.add(mean);
          }
        });
    return all.build();
  }
}
