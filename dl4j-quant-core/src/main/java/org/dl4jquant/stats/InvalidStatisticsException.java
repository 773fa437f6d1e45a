package org.dl4jquant.stats;

/** Saved statistics cannot be used; the message names their source and what is wrong. */
public final class InvalidStatisticsException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** Creates {@code <source>: <problem>}. */
  public InvalidStatisticsException(String source, String problem) {
    super(source + ": " + problem);
  }

  /** Creates {@code <source>: <problem>} with what it came from. */
  public InvalidStatisticsException(String source, String problem, Throwable cause) {
    super(source + ": " + problem, cause);
  }
}
