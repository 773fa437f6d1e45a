package org.dl4jquant.execute;

/** Requantizes codes, perhaps to a narrower range: the sums are the codes themselves. */
record ClipStep(String node, String input, SumSink sink) implements Step {
  @Override
  public void run(Frame frame) {
    int[] codes = frame.codes(input);
    sink.open(frame, node);
    sink.accept(frame, codes, 0, frame.rows(node));
  }
}
