package org.dl4jquant.update;

import com.google.common.collect.ImmutableList;
import java.io.IOException;
import java.nio.file.Path;
import org.dl4jquant.internal.Checks;

/**
 * The state of a training run that a model's own file does not keep: what every carried weight has
 * left below its last digit.
 *
 * <p>File format, version 1, big-endian: the 8 bytes {@code DL4JQRES}, the version as an int, the
 * length of the header as an int, the header as UTF-8 JSON, then for each tensor its state as
 * longs. The header names every tensor with shape, rule, number of steps, the SHA-256 of its longs
 * and, where they were given, the fractional lengths of its channels; the last 32 bytes of the file
 * are the SHA-256 of all before them. Written beside the target and moved into its place.
 *
 * @param modelDigest what identifies the model's parameters at the moment of saving, as the caller
 *     computes it; compared by the caller when the state is restored
 * @param tensors the carried weights, each layer and parameter at most once
 */
public record ResidualArchive(String modelDigest, ImmutableList<ResidualTensor> tensors) {
  public ResidualArchive {
    long names = tensors.stream().map(t -> t.layer() + "\n" + t.parameter()).distinct().count();
    Checks.that(
        names == tensors.size(),
        "tensors",
        "name each parameter once",
        tensors.stream().map(ResidualTensor::describe).toList());
  }

  /**
   * Writes this to {@code file}, replacing it as a whole or not at all.
   *
   * @throws java.io.UncheckedIOException if the file cannot be written; it is then as it was before
   */
  public void write(Path file) {
    ResidualFile.write(this, file);
  }

  /**
   * Reads and verifies a file.
   *
   * @throws InvalidResidualFileException if anything in it is not as it was written
   */
  public static ResidualArchive read(Path file) throws IOException {
    return ResidualFile.read(file);
  }
}
