package org.dl4jquant.finetune;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import org.dl4jquant.internal.Checks;

/**
 * The steps of one parameter or value and what Adam's rule remembers of their gradients. A step is
 * counted in units of the one that it started from, and stays within a factor of {@value #RANGE} of
 * it, so that no sum becomes much wider than conversion has made it. Not thread-safe.
 */
final class LearnedStep {
  private static final double FIRST_DECAY = 0.9;
  private static final double SECOND_DECAY = 0.999;
  private static final double EPSILON = 1e-8;
  private static final double RANGE = 16;

  private final double learningRate;
  private final double[] start;
  private final double[] first;
  private final double[] second;
  private StepGrid grid;
  private int iteration;

  LearnedStep(double learningRate, StepGrid grid) {
    this.learningRate = learningRate;
    this.grid = grid;
    start = grid.steps();
    first = new double[start.length];
    second = new double[start.length];
  }

  StepGrid grid() {
    return grid;
  }

  /** Follows the gradient of each step. */
  void follow(double[] gradients) {
    iteration++;
    double[] steps = grid.steps();
    for (int c = 0; c < steps.length; c++) {
      first[c] = FIRST_DECAY * first[c] + (1 - FIRST_DECAY) * gradients[c];
      second[c] = SECOND_DECAY * second[c] + (1 - SECOND_DECAY) * gradients[c] * gradients[c];
      double mean = first[c] / (1 - Math.pow(FIRST_DECAY, iteration));
      double root = Math.sqrt(second[c] / (1 - Math.pow(SECOND_DECAY, iteration)));
      double next = steps[c] - learningRate * start[c] * mean / (root + EPSILON);
      steps[c] =
          Double.isFinite(next)
              ? Math.max(start[c] / RANGE, Math.min(start[c] * RANGE, next))
              : steps[c];
    }
    grid = grid.withSteps(steps);
  }

  void write(DataOutputStream out) throws IOException {
    out.writeInt(iteration);
    out.writeInt(start.length);
    double[] steps = grid.steps();
    for (int c = 0; c < start.length; c++) {
      out.writeDouble(start[c]);
      out.writeDouble(steps[c]);
      out.writeDouble(first[c]);
      out.writeDouble(second[c]);
    }
  }

  /**
   * Returns these steps as {@link #write} has written them.
   *
   * @throws IllegalArgumentException if they have another number of channels
   */
  LearnedStep read(String name, DataInputStream in) throws IOException {
    LearnedStep read = new LearnedStep(learningRate, grid);
    read.iteration = in.readInt();
    int channels = in.readInt();
    Checks.that(channels == start.length, "steps of " + name, "be " + start.length, channels);
    double[] steps = new double[channels];
    for (int c = 0; c < channels; c++) {
      read.start[c] = in.readDouble();
      steps[c] = in.readDouble();
      read.first[c] = in.readDouble();
      read.second[c] = in.readDouble();
    }
    read.grid = grid.withSteps(steps);
    return read;
  }
}
