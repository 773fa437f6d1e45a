package org.dl4jquant.export;

/** A file is not an archive of this library, or is damaged; the message names file and entry. */
public final class InvalidArchiveException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  InvalidArchiveException(String where, String problem) {
    super(where + ": " + problem);
  }

  InvalidArchiveException(String where, String problem, Throwable cause) {
    super(where + ": " + problem, cause);
  }
}
