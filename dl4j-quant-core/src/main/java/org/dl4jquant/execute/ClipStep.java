package org.dl4jquant.execute;

/** Requantizes codes, perhaps to a narrower range: the sums are the codes themselves. */
record ClipStep(String node, String input, SumSink sink) implements Step {
  @Override
  public void run(Frame frame) {
    CodeArrays in = frame.codes(input);
    SumSink.Receiver receiver = sink.open(frame, node);
    for (int a = 0; a < in.count(); a++) {
      System.arraycopy(in.array(a), 0, receiver.sums()[a], 0, in.length());
      receiver.ints(a, 0, in.length());
    }
  }
}
