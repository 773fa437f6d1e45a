package org.dl4jquant.stats;

import com.google.common.primitives.ImmutableDoubleArray;
import java.util.Objects;
import org.dl4jquant.internal.Checks;

/**
 * How far one weight tensor moved: sums of squared differences, over all cycles and of the last
 * one. A sum is infinite if a weight was not finite in one of its cycles.
 *
 * @param name the tensor's name within its layer
 * @param weights the number of weights, at least 1
 * @param squares the squared differences summed over weights and cycles
 * @param lastSquares the squared differences of the last cycle
 * @param channelSquares {@code squares} by output channel, or empty if not recorded
 * @param channelLastSquares {@code lastSquares} by output channel, of the same length
 */
public record ParameterDifference(
    String name,
    long weights,
    double squares,
    double lastSquares,
    ImmutableDoubleArray channelSquares,
    ImmutableDoubleArray channelLastSquares) {
  public ParameterDifference {
    Objects.requireNonNull(name, "name");
    Checks.that(weights >= 1, "weights of " + name, "be at least 1", weights);
    checkSum(name, "squares", squares);
    checkSum(name, "lastSquares", lastSquares);
    int channels = channelSquares.length();
    Checks.that(
        channels == channelLastSquares.length(),
        "channelLastSquares of " + name,
        "have as many channels as channelSquares, " + channels,
        channelLastSquares.length());
    Checks.that(
        channels == 0 || weights % channels == 0,
        "channels of " + name,
        "divide the " + weights + " weights",
        channels);
    channelSquares.forEach(sum -> checkSum(name, "channelSquares", sum));
    channelLastSquares.forEach(sum -> checkSum(name, "channelLastSquares", sum));
  }

  /**
   * Returns a tensor that was not looked at yet.
   *
   * @param channels the number of output channels to record, or 0
   */
  public static ParameterDifference unseen(String name, long weights, int channels) {
    Checks.inRange("channels of " + name, channels, 0, Integer.MAX_VALUE);
    ImmutableDoubleArray zeros = ImmutableDoubleArray.copyOf(new double[channels]);
    return new ParameterDifference(name, weights, 0, 0, zeros, zeros);
  }

  /** Returns a tensor whose channels are not recorded. */
  public static ParameterDifference of(
      String name, long weights, double squares, double lastSquares) {
    return new ParameterDifference(
        name, weights, squares, lastSquares, ImmutableDoubleArray.of(), ImmutableDoubleArray.of());
  }

  /** Returns the number of recorded output channels, 0 if they are not recorded. */
  public int channels() {
    return channelSquares.length();
  }

  /** Returns whether a weight was ever NaN or infinite. */
  public boolean nonFinite() {
    return Double.isInfinite(squares) || Double.isInfinite(lastSquares);
  }

  /** Sums add; the last cycle is that of {@code later}, if it has any. */
  ParameterDifference combine(ParameterDifference later, boolean laterHasCycles) {
    ImmutableDoubleArray.Builder sums = ImmutableDoubleArray.builder(Math.max(1, channels()));
    for (int c = 0; c < channels(); c++) {
      sums.add(channelSquares.get(c) + later.channelSquares.get(c));
    }
    return new ParameterDifference(
        name,
        weights,
        squares + later.squares,
        laterHasCycles ? later.lastSquares : lastSquares,
        sums.build(),
        laterHasCycles ? later.channelLastSquares : channelLastSquares);
  }

  private static void checkSum(String name, String part, double sum) {
    Checks.that(sum >= 0, part + " of " + name, "not be negative or NaN", sum);
  }
}
