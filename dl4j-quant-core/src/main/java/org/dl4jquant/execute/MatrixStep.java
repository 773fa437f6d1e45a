package org.dl4jquant.execute;

import org.dl4jquant.graph.Convolution;
import org.dl4jquant.graph.Deconvolution;
import org.dl4jquant.graph.Dense;
import org.dl4jquant.graph.Shape;
import org.dl4jquant.graph.Weighted;
import org.jspecify.annotations.Nullable;

/**
 * Dense layers and (transposed) convolutions as a matrix product: patches gathered tile by tile,
 * unless the input already is the matrix.
 */
final class MatrixStep implements Step {
  private static final int TILE_ELEMENTS = 16_384;
  private static final int MAX_TILE_ROWS = 64;
  private static final int MIN_TILE_ROWS = 4;

  private final String node;
  private final String input;
  private final Weighted op;
  private final SumKernel kernel;
  private final SumSink sink;
  private final int length;
  private final int groups;

  MatrixStep(String node, String input, Weighted op, SumKernel kernel, SumSink sink) {
    this.node = node;
    this.input = input;
    this.op = op;
    this.kernel = kernel;
    this.sink = sink;
    this.groups = op instanceof Convolution convolution ? convolution.groups() : 1;
    this.length = op.weight().length() / op.outputChannels();
  }

  @Override
  public void run(Frame frame) {
    int[] codes = frame.codes(input);
    sink.open(frame, node);
    int rows = frame.rows(node);
    Shape in = frame.shape(input);
    int tile = Math.max(MIN_TILE_ROWS, Math.min(MAX_TILE_ROWS, TILE_ELEMENTS / length));
    WindowTable table = table(in, frame.shape(node));
    boolean direct = op instanceof Dense || (table.everyPosition() && groups == 1);
    Source source = new Source(codes, length);
    if (!direct) {
      source.patches = new Patches(codes, table, in, frame.shape(node), in.channels() / groups);
      source.buffer = frame.workspace().ints("#patches", tile * length);
    }
    for (int first = 0; first < rows; first += tile) {
      source.first = first;
      source.rows = Math.min(tile, rows - first);
      kernel.run(frame, source, first, source.rows, sink);
    }
  }

  private WindowTable table(Shape in, Shape out) {
    if (op instanceof Convolution convolution) {
      return WindowTable.of(convolution.window(), in, out);
    }
    if (op instanceof Deconvolution deconvolution) {
      return WindowTable.of(deconvolution, in, out);
    }
    return new WindowTable(1, 1, new WindowTable.Lookup(1, 1), new WindowTable.Lookup(1, 1), true);
  }

  private static final class Source implements SumKernel.Source {
    private final int[] codes;
    private final int length;
    private @Nullable Patches patches;
    private int[] buffer;
    private int first;
    private int rows;

    Source(int[] codes, int length) {
      this.codes = codes;
      this.buffer = codes;
      this.length = length;
    }

    @Override
    public int[] patches(int group) {
      if (patches == null) {
        return codes;
      }
      patches.gather(first, rows, group, buffer);
      return buffer;
    }

    @Override
    public int offset() {
      return patches == null ? first * length : 0;
    }
  }
}
