package org.dl4jquant.execute;

import com.google.common.collect.ImmutableList;
import org.dl4jquant.graph.Convolution;
import org.dl4jquant.graph.Deconvolution;
import org.dl4jquant.graph.Shape;
import org.dl4jquant.graph.Weighted;

/**
 * Convolutions, grouped and transposed ones too, as matrix products: tile by tile, the patches are
 * laid out row by row as they are needed.
 */
final class ConvolutionStep implements Step {
  private static final int TILE_COLUMNS = 512;

  private final String node;
  private final String input;
  private final ConvolutionKernel kernel;
  private final SumSink sink;
  private final int groups;
  private final int outputs;
  private final int length;
  private final LastUse<WindowTable> tables;

  ConvolutionStep(String node, String input, Weighted op, ConvolutionKernel kernel, SumSink sink) {
    this.node = node;
    this.input = input;
    this.kernel = kernel;
    this.sink = sink;
    this.groups = op instanceof Convolution convolution ? convolution.groups() : 1;
    this.outputs = op.outputChannels();
    this.length = op.weight().length() / outputs;
    this.tables = new LastUse<>((in, out) -> table(op, in, out));
  }

  private static WindowTable table(Weighted op, Shape in, Shape out) {
    return op instanceof Deconvolution deconvolution
        ? WindowTable.of(deconvolution, in, out)
        : WindowTable.of(((Convolution) op).window(), in, out);
  }

  @Override
  public void run(Frame frame) {
    CodeArrays in = frame.codes(input);
    SumSink.Receiver receiver = sink.open(frame, node);
    Shape out = frame.shape(node);
    int batch = frame.batch();
    int columns = CodeArrays.length(out, batch);
    WindowTable table = tables.get(in.shape(), out);
    ImmutableList<Tile> tiles =
        Tile.of(out.height(), out.width(), Math.max(1, TILE_COLUMNS / batch));
    long work = (long) columns * outputs * length;
    int blocks = tiles.size() >= frame.tasks(work) ? 1 : Math.min(units(), frame.tasks(work));
    boolean moves = !table.everyPosition();
    int[][] buffers =
        frame
            .workspace()
            .arrays("#patches", moves ? RowKernel.MAX_ROWS * blocks : 0, moves ? columns : 0);
    frame.forEach(
        tiles.size() * blocks,
        work,
        task -> {
          int block = task % blocks;
          Tile tile = tiles.get(task / blocks);
          Patches patches = new Patches(in, table, tile, buffers, block * RowKernel.MAX_ROWS);
          int first = units() * block / blocks;
          int end = units() * (block + 1) / blocks;
          run(patches, first, end, tile, batch, receiver);
        });
  }

  /** Returns into how many pieces the output channels may be split. */
  private int units() {
    return groups == 1 ? outputs : groups;
  }

  private void run(
      Patches patches, int first, int end, Tile tile, int batch, SumSink.Receiver receiver) {
    int from = tile.firstPosition() * batch;
    int to = tile.endPosition() * batch;
    if (groups == 1) {
      kernel.run(patches::row, first, end, from, to, receiver);
      return;
    }
    int each = outputs / groups;
    for (int g = first; g < end; g++) {
      int offset = g * length;
      kernel.run(
          (k, slot) -> patches.row(offset + k, slot), g * each, (g + 1) * each, from, to, receiver);
    }
  }
}
