package org.dl4jquant.update;

import java.io.IOException;
import java.nio.file.Path;

/** A file of residuals is damaged, cut short, or not one. Names the file and the part of it. */
public final class InvalidResidualFileException extends IOException {
  private static final long serialVersionUID = 1;

  InvalidResidualFileException(Path file, String part, String problem) {
    super(file + ": " + part + " " + problem);
  }

  InvalidResidualFileException(Path file, String part, String problem, Throwable cause) {
    super(file + ": " + part + " " + problem, cause);
  }
}
