package org.dl4jquant.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.NoSuchFileException;
import org.dl4jquant.datafile.InvalidDataFileException;
import org.dl4jquant.export.InvalidArchiveException;
import org.dl4jquant.onnx.UnsupportedOnnxException;
import org.dl4jquant.onnxruntime.InvalidOnnxException;
import org.dl4jquant.onnxruntime.OnnxRuntimeMissingException;
import org.dl4jquant.precision.InvalidPlanException;
import org.dl4jquant.stats.InvalidStatisticsException;

/** What a user is told of an exception, in one line. */
final class Messages {
  private static final int MAX_LENGTH = 600;

  private Messages() {}

  /** Returns the message of an exception, or its class if it has none. */
  static String of(Throwable e) {
    String message = e.getMessage();
    if (message == null || message.isBlank()) {
      return e.getCause() == null ? e.getClass().getSimpleName() : of(e.getCause());
    }
    if (e instanceof NoSuchFileException) {
      message += ": does not exist";
    } else if (e instanceof AccessDeniedException) {
      message += ": access denied";
    } else if (e instanceof FileAlreadyExistsException) {
      message += ": exists and is not a folder";
    } else if (e instanceof UncheckedIOException && e.getCause() != null) {
      String cause = of(e.getCause());
      message =
          cause.startsWith(message) || message.contains(cause) ? cause : message + ": " + cause;
    }
    return oneLine(message);
  }

  /** Returns the message alone if it was made for the user, else also where it came from. */
  static String forUser(Throwable e) {
    boolean expected =
        e instanceof CommandFailedException
            || e instanceof InvalidDataFileException
            || e instanceof InvalidArchiveException
            || e instanceof InvalidPlanException
            || e instanceof InvalidStatisticsException
            || e instanceof InvalidOnnxException
            || e instanceof UnsupportedOnnxException
            || e instanceof OnnxRuntimeMissingException
            || e instanceof UncheckedIOException
            || e instanceof IOException
            || e instanceof IllegalArgumentException
            || e instanceof IllegalStateException;
    if (expected) {
      return of(e);
    }
    return e instanceof OutOfMemoryError
        ? "not enough memory (" + of(e) + "); give Java more with -Xmx"
        : "unexpected " + e.getClass().getSimpleName() + ": " + of(e) + "; see --verbose";
  }

  /** Joins the lines of a text, and cuts it if it is very long. */
  static String oneLine(String text) {
    String line = text.strip().replaceAll("\\s+", " ");
    return line.length() <= MAX_LENGTH ? line : line.substring(0, MAX_LENGTH) + " ...";
  }
}
