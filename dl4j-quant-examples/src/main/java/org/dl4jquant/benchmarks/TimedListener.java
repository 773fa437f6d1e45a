package org.dl4jquant.benchmarks;

import java.util.List;
import java.util.Map;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.optimize.api.TrainingListener;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Adds up the time that another listener takes. Not thread-safe. */
final class TimedListener implements TrainingListener {
  private final TrainingListener watched;
  private long nanos;

  TimedListener(TrainingListener watched) {
    this.watched = watched;
  }

  /** Returns the time since the last call, and starts at zero again. */
  long takeNanos() {
    long taken = nanos;
    nanos = 0;
    return taken;
  }

  private void time(Runnable call) {
    long start = System.nanoTime();
    call.run();
    nanos += System.nanoTime() - start;
  }

  @Override
  public void iterationDone(Model model, int iteration, int epoch) {
    time(() -> watched.iterationDone(model, iteration, epoch));
  }

  @Override
  public void onEpochStart(Model model) {
    time(() -> watched.onEpochStart(model));
  }

  @Override
  public void onEpochEnd(Model model) {
    time(() -> watched.onEpochEnd(model));
  }

  @Override
  public void onForwardPass(Model model, List<INDArray> activations) {
    time(() -> watched.onForwardPass(model, activations));
  }

  @Override
  public void onForwardPass(Model model, Map<String, INDArray> activations) {
    time(() -> watched.onForwardPass(model, activations));
  }

  @Override
  public void onGradientCalculation(Model model) {
    time(() -> watched.onGradientCalculation(model));
  }

  @Override
  public void onBackwardPass(Model model) {
    time(() -> watched.onBackwardPass(model));
  }
}
