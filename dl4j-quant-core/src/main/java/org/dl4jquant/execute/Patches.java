package org.dl4jquant.execute;

import java.util.Arrays;
import org.dl4jquant.graph.Shape;

/**
 * Gathers what the kernel sees at each output position into rows: [kernel row][kernel
 * column][channel of the group], zeros where nothing lies.
 */
final class Patches {
  private final int[] codes;
  private final WindowTable table;
  private final Shape in;
  private final Shape out;
  private final int groupChannels;

  Patches(int[] codes, WindowTable table, Shape in, Shape out, int groupChannels) {
    this.codes = codes;
    this.table = table;
    this.in = in;
    this.out = out;
    this.groupChannels = groupChannels;
  }

  void gather(int first, int rows, int group, int[] patches) {
    int length = table.kernelHeight() * table.kernelWidth() * groupChannels;
    int perExample = out.height() * out.width();
    for (int r = 0; r < rows; r++) {
      int row = first + r;
      int position = row % perExample;
      one(
          row / perExample,
          position / out.width(),
          position % out.width(),
          group * groupChannels,
          patches,
          r * length);
    }
  }

  private void one(int example, int y, int x, int channel, int[] patches, int to) {
    int run = table.kernelWidth() * groupChannels;
    boolean contiguous = groupChannels == in.channels() && table.columns().contiguous(x);
    for (int ky = 0; ky < table.kernelHeight(); ky++, to += run) {
      int inputRow = table.rows().at(y, ky);
      if (inputRow < 0) {
        Arrays.fill(patches, to, to + run, 0);
        continue;
      }
      int line = (example * in.height() + inputRow) * in.width();
      if (contiguous) {
        int from = (line + table.columns().at(x, 0)) * in.channels();
        System.arraycopy(codes, from, patches, to, run);
      } else {
        columns(line, x, channel, patches, to);
      }
    }
  }

  private void columns(int line, int x, int channel, int[] patches, int to) {
    for (int kx = 0; kx < table.kernelWidth(); kx++, to += groupChannels) {
      int column = table.columns().at(x, kx);
      if (column < 0) {
        Arrays.fill(patches, to, to + groupChannels, 0);
      } else {
        int from = (line + column) * in.channels() + channel;
        System.arraycopy(codes, from, patches, to, groupChannels);
      }
    }
  }
}
