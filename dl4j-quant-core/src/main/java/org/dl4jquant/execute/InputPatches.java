package org.dl4jquant.execute;

import org.dl4jquant.graph.ChannelAffine;
import org.dl4jquant.graph.Convolution;
import org.dl4jquant.graph.Deconvolution;
import org.dl4jquant.graph.Dense;
import org.dl4jquant.graph.Shape;
import org.dl4jquant.graph.Weighted;
import org.dl4jquant.internal.Checks;

/**
 * What the weights of one output channel meet at each output position: the inputs of each sum, in
 * the order of the weights. Output channels of one group meet the same. Immutable and thread-safe.
 */
public final class InputPatches {
  private final Weighted op;
  private final Shape in;
  private final int groups;
  private final int length;
  private final int positions;
  private final int[] sources; // of an input channel, [kernel element][position]; -1 for padding

  private InputPatches(Weighted op, Shape in, Shape out, WindowTable table) {
    this.op = op;
    this.in = in;
    this.groups = op instanceof Convolution convolution ? convolution.groups() : 1;
    this.positions = out.elements() / out.channels();
    int area = table.kernelHeight() * table.kernelWidth();
    this.length = op.slices() * area;
    this.sources = new int[area * positions];
    for (int k = 0; k < area; k++) {
      for (int p = 0; p < positions; p++) {
        int row = table.rows().at(p / out.width(), k / table.kernelWidth());
        int column = table.columns().at(p % out.width(), k % table.kernelWidth());
        sources[k * positions + p] = row < 0 || column < 0 ? -1 : row * in.width() + column;
      }
    }
  }

  private InputPatches(Dense op, Shape in) {
    this.op = op;
    this.in = in;
    this.groups = 1;
    this.length = op.inputChannels();
    this.positions = 1;
    this.sources = new int[] {0};
  }

  /**
   * Returns the patches of an operation.
   *
   * @param op a dense layer, a convolution or a transposed convolution
   * @param in the shape of its input, batch excluded
   * @param out the shape of its output, batch excluded
   * @throws IllegalArgumentException if it is another operation
   */
  public static InputPatches of(Weighted op, Shape in, Shape out) {
    Checks.that(!(op instanceof ChannelAffine), "op", "sum over inputs", op.kind());
    if (op instanceof Dense dense) {
      return new InputPatches(dense, in);
    }
    return op instanceof Convolution convolution
        ? new InputPatches(op, in, out, WindowTable.of(convolution.window(), in, out))
        : new InputPatches(op, in, out, WindowTable.of((Deconvolution) op, in, out));
  }

  /** Returns the number of groups of output channels. */
  public int groups() {
    return groups;
  }

  /** Returns the number of inputs of each sum. */
  public int length() {
    return length;
  }

  /** Returns the number of output positions of each channel. */
  public int positions() {
    return positions;
  }

  /**
   * Copies patches into the columns of a matrix.
   *
   * @param values of the input, batch first
   * @param example of the batch
   * @param group of output channels
   * @param matrix rows of {@code width}, one per input of a sum
   * @param from the column of the first position
   */
  public void copy(float[] values, int example, int group, float[] matrix, int width, int from) {
    int elements = in.elements();
    if (op instanceof Dense) {
      for (int i = 0; i < length; i++) {
        matrix[i * width + from] = values[example * elements + i];
      }
      return;
    }
    int area = sources.length / positions;
    int plane = elements / in.channels();
    int firstOutput = op.outputChannels() / groups * group;
    for (int i = 0; i < length; i++) {
      int start = example * elements + op.inputChannel(firstOutput, i / area) * plane;
      int kernel = i % area * positions;
      for (int p = 0; p < positions; p++) {
        int source = sources[kernel + p];
        matrix[i * width + from + p] = source < 0 ? 0 : values[start + source];
      }
    }
  }
}
