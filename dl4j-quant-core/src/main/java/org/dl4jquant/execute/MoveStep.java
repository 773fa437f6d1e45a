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
  private final LastUse<MoveRuns> runs;

  MoveStep(String node, String input, Map map) {
    this.node = node;
    this.input = input;
    this.runs = new LastUse<>((in, out) -> new MoveRuns(map.sources(in, out), in, out));
  }

  @Override
  public void run(Frame frame) {
    CodeArrays in = frame.codes(input);
    CodeArrays out = frame.newCodes(node);
    runs.get(in.shape(), out.shape()).move(in, out);
  }
}
