package org.dl4jquant.convert;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.dl4jquant.execute.InputPatches;
import org.dl4jquant.format.AffineParameters;
import org.dl4jquant.format.FixedPointFormat;
import org.dl4jquant.format.Granularity;
import org.dl4jquant.format.NumberFormat;
import org.dl4jquant.format.UniformFormat;
import org.dl4jquant.graph.Weighted;
import org.dl4jquant.tensor.QuantizedTensor;
import org.dl4jquant.tensor.Tensor;

/**
 * Chooses the codes of one layer's weights, and the uniform format of each output channel one step
 * finer or coarser if that serves, so that its sums for the quantized inputs come as near as
 * possible to those of the float network: least squares over samples of calibration examples, with
 * a small penalty for weights that move far, which keeps few examples from deciding too much.
 *
 * <p>A bias that may be corrected takes up the mean error, so that only deviations from the mean
 * count. Sums of more than {@value #MOST_INPUTS} inputs are treated in parts; in layers of more
 * than {@value #LARGE} weights the parts are smaller, there are fewer samples, and formats stay as
 * they are, so that the time for each weight is limited.
 */
final class AdaptiveRounding {
  private static final int MOST_INPUTS = 1024;
  private static final int LARGE = 1 << 18; // weights
  private static final int MOST_INPUTS_OF_LARGE = 256;
  private static final int SAMPLES_PER_INPUT = 4;
  private static final int LEAST_SAMPLES = 4096;
  private static final double RIDGE = 0.03; // the penalty, as a share of an input's mean square
  private static final int[] AWAY = {0, -1, 1};
  private static final double AFFINE_RATIO = 1.15; // between steps that are tried
  private static final int MAX_SPREAD = 20; // bits between the finest and the coarsest channel

  private final Weighted op;
  private final boolean corrects;
  private final List<NumberFormat> formats;
  private final boolean perChannel;
  private final boolean uniform;
  private final int inputs;
  private final boolean large;
  private final double coarsest; // step, of uniform formats
  private final int[] codes;
  private final float[] bias;
  private final NumberFormat[] chosen;

  /**
   * Prepares a layer.
   *
   * @param op with the float weights
   * @param nearest its weights as they are rounded otherwise
   * @param corrects whether the bias may take up the mean error
   */
  AdaptiveRounding(Weighted op, QuantizedTensor nearest, boolean corrects) {
    this.op = op;
    this.corrects = corrects;
    int outputs = op.outputChannels();
    this.perChannel = nearest.formats().size() == outputs;
    this.formats = new ArrayList<>();
    for (int o = 0; o < outputs; o++) {
      formats.add(nearest.formats().get(perChannel ? o : 0));
    }
    this.uniform = formats.stream().allMatch(UniformFormat.class::isInstance);
    this.coarsest =
        uniform
            ? formats.stream().mapToDouble(own -> UniformFormat.of(own).step()).max().orElseThrow()
            : 0;
    this.codes = nearest.codes();
    this.inputs = codes.length / outputs;
    this.large = codes.length > LARGE;
    this.bias = op.bias().values().clone();
    this.chosen = formats.toArray(new NumberFormat[0]);
  }

  /**
   * A rounded layer.
   *
   * @param weight of the shape of the operation's
   * @param bias as it is to be, or as it was
   */
  record Result(QuantizedTensor weight, Tensor bias) {}

  /**
   * Rounds.
   *
   * @param exact the input of the float network, batch first
   * @param quantized the input that the layer will see
   */
  Result round(InputPatches patches, Tensor exact, Tensor quantized) {
    int groups = patches.groups();
    if (groups > 1) {
      IntStream.range(0, groups).parallel().forEach(g -> round(patches, exact, quantized, g));
    } else {
      round(patches, exact, quantized, 0);
    }
    Granularity granularity = perChannel ? Granularity.perChannel(0) : Granularity.perTensor();
    List<NumberFormat> own = perChannel ? List.of(chosen) : List.of(chosen[0]);
    return new Result(
        QuantizedTensor.of(codes, granularity, own, op.weight().shape()),
        Tensor.of(bias, bias.length));
  }

  private void round(InputPatches patches, Tensor exact, Tensor quantized, int group) {
    int part = Math.min(inputs, large ? MOST_INPUTS_OF_LARGE : MOST_INPUTS);
    int samples = Math.max(large ? 0 : LEAST_SAMPLES, SAMPLES_PER_INPUT * part);
    InputSeries wanted = InputSeries.of(patches, exact, group, samples);
    InputSeries seen = InputSeries.of(patches, quantized, group, samples);
    double[] wantedMeans = wanted.means();
    double[] seenMeans = seen.means();
    if (corrects) {
      wanted = wanted.less(wantedMeans);
      seen = seen.less(seenMeans);
    }
    int outputs = op.outputChannels() / patches.groups();
    Candidates candidates = new Candidates(group * outputs, outputs);
    for (int from = 0; from < inputs; from += part) {
      int to = Math.min(inputs, from + part);
      candidates.round(wanted.part(from, to), seen.part(from, to), from);
    }
    candidates.decide();
    for (int o = group * outputs; corrects && o < (group + 1) * outputs; o++) {
      double error = 0;
      for (int i = 0; i < inputs; i++) {
        int at = o * inputs + i;
        error +=
            chosen[o].dequantize(codes[at]) * seenMeans[i]
                - op.weight().values()[at] * wantedMeans[i];
      }
      bias[o] = (float) (op.bias().values()[o] - error);
    }
  }

  /** The codes of the output channels of one group for each format that is tried. */
  private final class Candidates {
    private final int first;
    private final int outputs;
    private final int[][] tried;
    private final double[][] errors;

    Candidates(int first, int outputs) {
      this.first = first;
      this.outputs = outputs;
      int count = perChannel && uniform && !large ? AWAY.length : 1;
      this.tried = new int[count][outputs * inputs];
      this.errors = new double[count][outputs];
    }

    /** Adds a part of the inputs. */
    void round(InputSeries wanted, InputSeries seen, int from) {
      double[][] matrix = seen.products();
      double mean = 0;
      for (int i = 0; i < matrix.length; i++) {
        mean += matrix[i][i] / matrix.length;
      }
      double penalty = Math.max(RIDGE * mean, Double.MIN_NORMAL / Math.ulp(0.5));
      for (int i = 0; i < matrix.length; i++) {
        matrix[i][i] += penalty;
      }
      RoundingProblem problem = new RoundingProblem(matrix);
      double[][] across = seen.products(wanted);
      IntStream outs = IntStream.range(0, outputs);
      (outputs > 1 ? outs.parallel() : outs).forEach(o -> round(problem, across, from, o, penalty));
    }

    private void round(
        RoundingProblem problem, double[][] across, int from, int o, double penalty) {
      double[] weights = new double[across.length];
      for (int i = 0; i < weights.length; i++) {
        weights[i] = op.weight().values()[(first + o) * inputs + from + i];
      }
      double[] target = new double[weights.length];
      for (int i = 0; i < target.length; i++) {
        double sum = penalty * weights[i];
        double[] row = across[i];
        for (int k = 0; k < row.length; k++) {
          sum += row[k] * weights[k];
        }
        target[i] = sum;
      }
      double[] optimum = problem.optimum(target);
      for (int c = 0; c < tried.length; c++) {
        RoundingProblem.Solution solution =
            problem.solve(optimum, weights, format(first + o, AWAY[c]));
        System.arraycopy(solution.codes(), 0, tried[c], o * inputs + from, weights.length);
        errors[c][o] += solution.error();
      }
    }

    void decide() {
      for (int o = 0; o < outputs; o++) {
        int best = 0;
        for (int c = 1; c < tried.length; c++) {
          best = errors[c][o] < errors[best][o] ? c : best;
        }
        chosen[first + o] = format(first + o, AWAY[best]);
        System.arraycopy(tried[best], o * inputs, codes, (first + o) * inputs, inputs);
      }
    }
  }

  private NumberFormat format(int output, int away) {
    NumberFormat format = formats.get(output);
    if (!uniform) {
      return format;
    }
    double finest = Math.scalb(coarsest, -MAX_SPREAD);
    if (format instanceof AffineParameters affine) {
      double step = affine.scale() * Math.pow(AFFINE_RATIO, -away);
      return affine.withScale((float) Math.max(finest, step));
    }
    FixedPointFormat fixedPoint = (FixedPointFormat) format;
    int length = Math.min(fixedPoint.fractionalLength() + away, -Math.getExponent(finest));
    return fixedPoint.withFractionalLength(
        Math.max(
            FixedPointFormat.MIN_FRACTIONAL_LENGTH,
            Math.min(FixedPointFormat.MAX_FRACTIONAL_LENGTH, length)));
  }
}
