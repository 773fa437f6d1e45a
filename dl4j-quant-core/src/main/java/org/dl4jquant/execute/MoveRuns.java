package org.dl4jquant.execute;

import java.util.Arrays;
import org.dl4jquant.graph.Shape;

/**
 * Which codes of an example go where, as runs of neighbors that stay neighbors; a run lies within
 * one channel where channels have arrays of their own.
 */
final class MoveRuns {
  private final int[] targets;
  private final int[] sources;
  private final int[] lengths;

  /**
   * @param map the source of each output element, both in channels-first order; -1 for zero
   */
  MoveRuns(int[] map, Shape in, Shape out) {
    int[] starts = new int[map.length];
    int count = 0;
    for (int i = 0; i < map.length; i++) {
      if (i % run(out) == 0 || !goesOn(map[i - 1], map[i], run(in))) {
        starts[count++] = i;
      }
    }
    targets = Arrays.copyOf(starts, count);
    sources = new int[count];
    lengths = new int[count];
    for (int r = 0; r < count; r++) {
      sources[r] = map[targets[r]];
      lengths[r] = (r + 1 < count ? targets[r + 1] : map.length) - targets[r];
    }
  }

  private static int run(Shape shape) {
    return shape.rank() == 1 ? shape.elements() : shape.elements() / shape.channels();
  }

  private static boolean goesOn(int before, int source, int run) {
    return source < 0 ? before < 0 : before == source - 1 && source % run != 0;
  }

  void move(CodeArrays in, CodeArrays out) {
    for (int r = 0; r < targets.length; r++) {
      if (!in.features() && !out.features()) {
        planes(in, out, r);
      } else if (in.features()) {
        fromFeatures(in, out, r);
      } else {
        toFeatures(in, out, r);
      }
    }
  }

  private void planes(CodeArrays in, CodeArrays out, int r) {
    int batch = in.batch();
    int[] to = out.array(targets[r] / out.positions());
    int target = targets[r] % out.positions() * batch;
    int length = lengths[r] * batch;
    if (sources[r] < 0) {
      Arrays.fill(to, target, target + length, 0);
    } else {
      int[] from = in.array(sources[r] / in.positions());
      System.arraycopy(from, sources[r] % in.positions() * batch, to, target, length);
    }
  }

  private void toFeatures(CodeArrays in, CodeArrays out, int r) {
    int batch = in.batch();
    for (int e = 0; e < batch; e++) {
      int[] to = out.array(e);
      if (sources[r] < 0) {
        Arrays.fill(to, targets[r], targets[r] + lengths[r], 0);
        continue;
      }
      int[] from = in.array(sources[r] / in.positions());
      int source = sources[r] % in.positions() * batch + e;
      for (int i = 0; i < lengths[r]; i++) {
        to[targets[r] + i] = from[source + i * batch];
      }
    }
  }

  private void fromFeatures(CodeArrays in, CodeArrays out, int r) {
    for (int e = 0; e < in.batch(); e++) {
      int[] from = in.array(e);
      for (int i = 0; i < lengths[r]; i++) {
        out.set(e, targets[r] + i, sources[r] < 0 ? 0 : from[sources[r] + i]);
      }
    }
  }
}
