package org.dl4jquant.precision;

/** A saved plan or trial log cannot be used; the message names its source and what is wrong. */
public final class InvalidPlanException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  InvalidPlanException(String source, String problem) {
    super(source + ": " + problem);
  }

  InvalidPlanException(String source, String problem, Throwable cause) {
    super(source + ": " + problem, cause);
  }
}
