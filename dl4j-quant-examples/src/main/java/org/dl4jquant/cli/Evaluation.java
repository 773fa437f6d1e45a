package org.dl4jquant.cli;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import org.dl4jquant.datafile.LabeledExamples;
import org.dl4jquant.stats.Sqnr;
import org.dl4jquant.terminal.Progress;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Runs labeled examples through a classifier, and perhaps through a second one beside it. */
final class Evaluation {
  private static final double NANOS_PER_SECOND = 1e9;

  private final Classifier classifier;
  private final Optional<Classifier> reference;
  private final Sqnr sqnr = Sqnr.create();
  private long rows;
  private long labeled;
  private long correct;
  private long equal;
  private long nanos;

  private Evaluation(Classifier classifier, Optional<Classifier> reference) {
    this.classifier = classifier;
    this.reference = reference;
  }

  /**
   * What was found.
   *
   * @param samples the number of examples
   * @param accuracy the share of labeled positions whose class was right
   * @param seconds that the classifier took, without the reference
   * @param agreement the share of positions at which the reference gives the same class
   * @param logitSqnrDb of the logits against those of the reference; infinite if they are equal
   * @param nonFinite the number of pairs of logits that were left out because one is not finite
   */
  record Result(
      int samples,
      double accuracy,
      double seconds,
      OptionalDouble agreement,
      OptionalDouble logitSqnrDb,
      long nonFinite) {}

  /**
   * Evaluates.
   *
   * @param inputs one array per input, examples along axis 0
   */
  static Result of(
      Classifier classifier,
      Optional<Classifier> reference,
      List<INDArray> inputs,
      LabeledExamples examples) {
    Evaluation evaluation = new Evaluation(classifier, reference);
    int samples = examples.size();
    Optional<ClassLabels> labels = Optional.empty();
    try (Progress progress =
        Progress.start("evaluating", (samples + InputBatches.SIZE - 1) / InputBatches.SIZE)) {
      for (int from = 0; from < samples; from += InputBatches.SIZE) {
        INDArray[] batch =
            InputBatches.part(inputs, from, Math.min(samples, from + InputBatches.SIZE));
        Logits logits = evaluation.timed(batch);
        if (labels.isEmpty()) {
          labels = Optional.of(ClassLabels.of(examples, logits.shape(), logits.classAxis()));
        }
        evaluation.count(logits, labels.get(), from);
        evaluation.compare(logits, batch);
        progress.step();
      }
    }
    return evaluation.result(samples);
  }

  private Logits timed(INDArray... batch) {
    long start = System.nanoTime();
    Logits logits = classifier.apply(batch);
    nanos += System.nanoTime() - start;
    return logits;
  }

  private void count(Logits logits, ClassLabels labels, int from) {
    for (int row = 0; row < logits.rows(); row++) {
      int label = labels.classes().get(from * labels.positions() + row);
      if (label != ClassLabels.NONE) {
        labeled++;
        correct += logits.top(row) == label ? 1 : 0;
      }
    }
  }

  private void compare(Logits logits, INDArray... batch) {
    if (reference.isEmpty()) {
      return;
    }
    Logits expected = reference.get().apply(batch);
    if (!Arrays.equals(expected.shape(), logits.shape())) {
      throw new CommandFailedException(
          reference.get().source()
              + ": must give outputs of shape "
              + Arrays.toString(logits.shape())
              + " to be a reference, found "
              + Arrays.toString(expected.shape()));
    }
    rows += logits.rows();
    for (int row = 0; row < logits.rows(); row++) {
      int top = logits.top(row);
      equal += top != ClassLabels.NONE && top == expected.top(row) ? 1 : 0;
      for (int c = 0; c < logits.classes(); c++) {
        sqnr.accept(expected.value(row, c), logits.value(row, c));
      }
    }
  }

  private Result result(int samples) {
    if (labeled == 0) {
      throw new CommandFailedException("the labels mark every position as not to be counted");
    }
    boolean compared = reference.isPresent();
    return new Result(
        samples,
        (double) correct / labeled,
        nanos / NANOS_PER_SECOND,
        compared ? OptionalDouble.of((double) equal / rows) : OptionalDouble.empty(),
        compared ? OptionalDouble.of(sqnr.decibels()) : OptionalDouble.empty(),
        sqnr.nonFinite());
  }
}
