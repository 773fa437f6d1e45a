package org.dl4jquant.export;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.util.ModelSerializer;
import org.dl4jquant.convert.QuantizedModel;
import org.dl4jquant.internal.AtomicFile;
import org.nd4j.linalg.dataset.api.preprocessor.DataNormalization;

/**
 * A zip file exactly as DL4J's own {@code ModelSerializer} writes it, with every quantized
 * parameter replaced by the number that its code stands for. It is as large as the float file; a
 * program without this library restores it and computes the same outputs as {@link
 * QuantizedModel#toNetwork}.
 */
public final class PlainArchive {
  private PlainArchive() {}

  /**
   * Writes the model with its normalizer and, if the model has it, its updater state.
   *
   * @throws java.io.UncheckedIOException if the file cannot be written; it is then as it was before
   */
  public static void write(QuantizedModel model, Path file) {
    Model network = model.toNetwork();
    boolean updater = model.attachments().updaterState().isPresent();
    AtomicFile.write(
        file,
        out -> {
          if (model.attachments().normalizer().isPresent()) {
            writeWithNormalizer(network, updater, model.attachments().normalizer().get(), out);
          } else {
            ModelSerializer.writeModel(network, out, updater);
          }
        });
  }

  /** By way of a file: DL4J 1.0.0-M2.1 fails to write a normalizer to a stream. */
  private static void writeWithNormalizer(
      Model network, boolean updater, DataNormalization normalizer, OutputStream out)
      throws IOException {
    Path whole = Files.createTempFile("dl4j-quant", ".zip");
    try {
      ModelSerializer.writeModel(network, whole.toFile(), updater);
      ModelSerializer.addNormalizerToModel(whole.toFile(), normalizer);
      Files.copy(whole, out);
    } finally {
      Files.delete(whole);
    }
  }
}
