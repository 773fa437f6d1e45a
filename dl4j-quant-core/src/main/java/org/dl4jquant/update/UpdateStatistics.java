package org.dl4jquant.update;

/**
 * What one step, or several, did to a tensor.
 *
 * @param weights how many weights were visited, over all steps
 * @param updates how many of them had a finite update other than 0
 * @param deadZone how many of those updates were smaller than half a step of the weight: what
 *     rounding would lose
 * @param moved how many weights changed their code
 * @param saturated how many ran into the end of their range
 * @param skipped how many updates were not finite and left the weight alone
 * @param outside how many weights had been changed by something other than the update, such as a
 *     constraint; the difference is part of the fine weight
 * @param residualSumOfSquares the sum of the squared residuals after the last step, as real values
 */
public record UpdateStatistics(
    long weights,
    long updates,
    long deadZone,
    long moved,
    long saturated,
    long skipped,
    long outside,
    double residualSumOfSquares) {
  /** Nothing seen: the identity of {@link #and} and {@link #then}. */
  public static final UpdateStatistics NONE = new UpdateStatistics(0, 0, 0, 0, 0, 0, 0, 0);

  /** Returns the share of updates too small for rounding to see, 0 if there were none. */
  public double deadZoneShare() {
    return updates == 0 ? 0 : (double) deadZone / updates;
  }

  /** Returns the share of weights whose code changed, 0 if there were none. */
  public double movedShare() {
    return weights == 0 ? 0 : (double) moved / weights;
  }

  /** Returns the Euclidean norm of the residuals after the last step. */
  public double residualNorm() {
    return Math.sqrt(residualSumOfSquares);
  }

  /** Returns this and the statistics of other weights in the same steps. */
  public UpdateStatistics and(UpdateStatistics other) {
    return plus(other, residualSumOfSquares + other.residualSumOfSquares);
  }

  /** Returns this and the statistics of the same weights in later steps. */
  public UpdateStatistics then(UpdateStatistics later) {
    return plus(later, later.weights == 0 ? residualSumOfSquares : later.residualSumOfSquares);
  }

  private UpdateStatistics plus(UpdateStatistics other, double sumOfSquares) {
    return new UpdateStatistics(
        weights + other.weights,
        updates + other.updates,
        deadZone + other.deadZone,
        moved + other.moved,
        saturated + other.saturated,
        skipped + other.skipped,
        outside + other.outside,
        sumOfSquares);
  }
}
