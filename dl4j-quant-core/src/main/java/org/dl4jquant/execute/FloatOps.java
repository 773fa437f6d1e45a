package org.dl4jquant.execute;

import com.google.common.collect.ImmutableList;
import org.dl4jquant.graph.Activation;
import org.dl4jquant.graph.Add;
import org.dl4jquant.graph.AveragePool;
import org.dl4jquant.graph.ChannelAffine;
import org.dl4jquant.graph.Concat;
import org.dl4jquant.graph.Convolution;
import org.dl4jquant.graph.Crop;
import org.dl4jquant.graph.Deconvolution;
import org.dl4jquant.graph.Dense;
import org.dl4jquant.graph.Flatten;
import org.dl4jquant.graph.FloatFunction;
import org.dl4jquant.graph.GlobalPool;
import org.dl4jquant.graph.Input;
import org.dl4jquant.graph.MaxPool;
import org.dl4jquant.graph.OpVisitor;
import org.dl4jquant.graph.Permute;
import org.dl4jquant.graph.Reshape;
import org.dl4jquant.graph.Shape;
import org.dl4jquant.graph.Softmax;
import org.dl4jquant.graph.Upsample;
import org.dl4jquant.graph.ZeroPad;
import org.dl4jquant.tensor.Tensor;

/**
 * Computes an operation in floating point, plainly: sums are kept in double and rounded to float
 * once per element.
 */
final class FloatOps implements OpVisitor<Tensor> {
  private final ImmutableList<Tensor> inputs;
  private final Shape in;
  private final Shape out;
  private final int batch;

  FloatOps(ImmutableList<Tensor> inputs, Shape out) {
    this.inputs = inputs;
    this.in = Shape.ofBatch(inputs.get(0).shape());
    this.out = out;
    this.batch = inputs.get(0).size(0);
  }

  private float[] x() {
    return inputs.get(0).values();
  }

  private Tensor result(float[] values) {
    return Tensor.of(values, out.withBatch(batch));
  }

  private float[] fresh() {
    return new float[Math.multiplyExact(batch, out.elements())];
  }

  @Override
  public Tensor input(Input op) {
    return inputs.get(0);
  }

  @Override
  public Tensor dense(Dense op) {
    float[] y = fresh();
    int length = op.inputChannels();
    for (int i = 0; i < y.length; i++) {
      int example = i / op.outputChannels();
      int output = i % op.outputChannels();
      double sum = op.bias().values()[output];
      for (int k = 0; k < length; k++) {
        sum += (double) x()[example * length + k] * op.weight().values()[output * length + k];
      }
      y[i] = (float) sum;
    }
    return result(y);
  }

  @Override
  public Tensor convolution(Convolution op) {
    return result(
        FloatWindows.convolve(op, WindowTable.of(op.window(), in, out), x(), in, out, fresh()));
  }

  @Override
  public Tensor deconvolution(Deconvolution op) {
    return result(FloatWindows.convolve(op, WindowTable.of(op, in, out), x(), in, out, fresh()));
  }

  @Override
  public Tensor channelAffine(ChannelAffine op) {
    float[] y = fresh();
    int positions = out.elements() / out.channels();
    for (int i = 0; i < y.length; i++) {
      int c = i / positions % out.channels();
      y[i] = (float) ((double) x()[i] * op.weight().values()[c] + op.bias().values()[c]);
    }
    return result(y);
  }

  @Override
  public Tensor activation(Activation op) {
    float[] y = fresh();
    for (int i = 0; i < y.length; i++) {
      y[i] = (float) op.function().apply(x()[i]);
    }
    return result(y);
  }

  @Override
  public Tensor maxPool(MaxPool op) {
    return result(FloatWindows.max(WindowTable.of(op.window(), in, out), x(), in, out, fresh()));
  }

  @Override
  public Tensor averagePool(AveragePool op) {
    return result(
        FloatWindows.mean(
            WindowTable.of(op.window(), in, out), op.countsPadding(), x(), in, out, fresh()));
  }

  @Override
  public Tensor globalPool(GlobalPool op) {
    float[] y = fresh();
    int positions = in.elements() / in.channels();
    for (int i = 0; i < y.length; i++) {
      double sum = 0;
      float max = Float.NEGATIVE_INFINITY;
      for (int p = 0; p < positions; p++) {
        sum += x()[i * positions + p];
        max = Math.max(max, x()[i * positions + p]);
      }
      y[i] =
          switch (op.reduction()) {
            case MAX -> max;
            case SUM -> (float) sum;
            case AVERAGE -> (float) (sum / positions);
          };
    }
    return result(y);
  }

  private Tensor moved(int[] sources) {
    float[] y = fresh();
    for (int i = 0; i < y.length; i++) {
      int source = sources[i % sources.length];
      y[i] = source < 0 ? 0 : x()[i / sources.length * in.elements() + source];
    }
    return result(y);
  }

  @Override
  public Tensor zeroPad(ZeroPad op) {
    return moved(Moves.framed(in, out, op.amounts(), 1));
  }

  @Override
  public Tensor crop(Crop op) {
    return moved(Moves.framed(in, out, op.amounts(), -1));
  }

  @Override
  public Tensor upsample(Upsample op) {
    return moved(Moves.upsampled(in, out, op.factor()));
  }

  @Override
  public Tensor flatten(Flatten op) {
    return inputs.get(0).reshape(out.withBatch(batch));
  }

  @Override
  public Tensor reshape(Reshape op) {
    return inputs.get(0).reshape(out.withBatch(batch));
  }

  @Override
  public Tensor permute(Permute op) {
    return moved(Moves.permuted(in, out, op));
  }

  @Override
  public Tensor add(Add op) {
    float[] y = fresh();
    for (int i = 0; i < y.length; i++) {
      double sum = 0;
      for (Tensor input : inputs) {
        sum += input.values()[i];
      }
      y[i] = (float) sum;
    }
    return result(y);
  }

  @Override
  public Tensor concat(Concat op) {
    float[] y = fresh();
    int inner = 1;
    for (int axis = op.axis() + 1; axis < out.rank(); axis++) {
      inner *= out.size(axis);
    }
    int outBlock = out.size(op.axis()) * inner;
    int start = 0;
    for (Tensor input : inputs) {
      int block = input.size(op.axis() + 1) * inner;
      for (int i = 0; i < input.length(); i++) {
        y[i / block * outBlock + start + i % block] = input.values()[i];
      }
      start += block;
    }
    return result(y);
  }

  @Override
  public Tensor softmax(Softmax op) {
    float[] y = fresh();
    int positions = out.elements() / out.channels();
    for (int i = 0; i < batch * positions; i++) {
      int first = i / positions * out.elements() + i % positions;
      double max = Double.NEGATIVE_INFINITY;
      for (int c = 0; c < out.channels(); c++) {
        max = Math.max(max, x()[first + c * positions]);
      }
      double sum = 0;
      for (int c = 0; c < out.channels(); c++) {
        sum += Math.exp(x()[first + c * positions] - max);
      }
      for (int c = 0; c < out.channels(); c++) {
        int at = first + c * positions;
        y[at] = (float) (Math.exp(x()[at] - max) / sum);
      }
    }
    return result(y);
  }

  @Override
  public Tensor floatFunction(FloatFunction op) {
    return op.kernel().apply(inputs);
  }
}
