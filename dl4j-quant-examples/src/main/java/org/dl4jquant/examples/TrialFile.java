package org.dl4jquant.examples;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.google.common.collect.ImmutableList;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** The trials of a study in a file of one line of JSON each, so that a study can be resumed. */
final class TrialFile {
  private static final ObjectMapper JSON = new ObjectMapper();

  private TrialFile() {}

  /** Returns the trials of a file; none if there is no file. */
  static <T> ImmutableList<T> read(Path file, Class<T> kind) throws IOException {
    ImmutableList.Builder<T> trials = ImmutableList.builder();
    if (Files.exists(file)) {
      for (String line : Files.readAllLines(file)) {
        trials.add(JSON.readValue(line, kind));
      }
    }
    return trials.build();
  }

  /** Writes a trial as one more line. */
  static void append(Path file, Record trial) throws IOException {
    Files.writeString(
        file,
        JSON.writeValueAsString(trial) + "\n",
        StandardOpenOption.CREATE,
        StandardOpenOption.APPEND);
  }
}
