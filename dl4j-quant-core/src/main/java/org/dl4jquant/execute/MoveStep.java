package org.dl4jquant.execute;

import org.dl4jquant.graph.Shape;

/** Moves codes: output code i is input code {@code source(i)} of the same example, or zero. */
final class MoveStep implements Step {
  /** Finds where codes come from. */
  @FunctionalInterface
  interface Map {
    /**
     * Returns the index, in an example's channels-first order, of each output element in
     * channels-first order; -1 for zero.
     */
    int[] sources(Shape in, Shape out);
  }

  private final String node;
  private final String input;
  private final Map map;

  MoveStep(String node, String input, Map map) {
    this.node = node;
    this.input = input;
    this.map = map;
  }

  @Override
  public void run(Frame frame) {
    int[] codes = frame.codes(input);
    int[] out = frame.newCodes(node);
    Shape in = frame.shape(input);
    Shape shape = frame.shape(node);
    int[] sources = channelsLast(map.sources(in, shape), in, shape);
    for (int example = 0; example < frame.batch(); example++) {
      int from = example * in.elements();
      int to = example * sources.length;
      for (int i = 0; i < sources.length; i++) {
        out[to + i] = sources[i] < 0 ? 0 : codes[from + sources[i]];
      }
    }
  }

  private static int[] channelsLast(int[] sources, Shape in, Shape out) {
    int[] moved = new int[sources.length];
    int positions = in.elements() / in.channels();
    int outPositions = out.elements() / out.channels();
    for (int i = 0; i < sources.length; i++) {
      int source = sources[i];
      int last = source < 0 ? -1 : source % positions * in.channels() + source / positions;
      moved[i % outPositions * out.channels() + i / outPositions] = last;
    }
    return moved;
  }
}
