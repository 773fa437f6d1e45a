package org.dl4jquant.export;

import java.nio.file.Path;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.util.ModelSerializer;
import org.dl4jquant.convert.QuantizedModel;
import org.dl4jquant.internal.AtomicFile;

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
            ModelSerializer.writeModel(
                network, out, updater, model.attachments().normalizer().get());
          } else {
            ModelSerializer.writeModel(network, out, updater);
          }
        });
  }
}
