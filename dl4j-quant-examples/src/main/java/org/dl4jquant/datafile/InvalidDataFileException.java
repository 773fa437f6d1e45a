package org.dl4jquant.datafile;

/** A data file is not what it should be; the message names the file and what is wrong. */
public final class InvalidDataFileException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  InvalidDataFileException(String file, String problem) {
    super(file + ": " + problem);
  }

  InvalidDataFileException(String file, String problem, Throwable cause) {
    super(file + ": " + problem, cause);
  }
}
