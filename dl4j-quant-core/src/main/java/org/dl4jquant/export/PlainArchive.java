package org.dl4jquant.export;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import org.deeplearning4j.util.ModelSerializer;
import org.dl4jquant.convert.QuantizedModel;
import org.dl4jquant.internal.AtomicFile;

/**
 * A zip file with the entries that DL4J's own {@code ModelSerializer} writes, with every quantized
 * parameter replaced by the number that its code stands for. It is as large as the float file but
 * for what the compression of the zip makes of numbers that repeat; a program without this library
 * restores it and computes the same outputs as {@link QuantizedModel#toNetwork}. The same model
 * gives the same bytes.
 */
public final class PlainArchive {
  private PlainArchive() {}

  /**
   * Writes the model with its normalizer and, if the model has it, its updater state.
   *
   * @throws java.io.UncheckedIOException if the file cannot be written; it is then as it was before
   */
  public static void write(QuantizedModel model, Path file) {
    AtomicFile.write(
        file,
        out -> {
          Path stock = Files.createTempFile("dl4j-quant", ".zip");
          try {
            boolean updater = model.attachments().updaterState().isPresent();
            ModelSerializer.writeModel(model.plainNetwork().model(), stock.toFile(), updater);
            SteadyZip zip = new SteadyZip(out);
            copy(stock, zip);
            if (model.attachments().normalizer().isPresent()) {
              zip.put(
                  ModelSerializer.NORMALIZER_BIN,
                  ArchiveWriter.bytes(model.attachments().normalizer().get()));
            }
            zip.finish();
          } finally {
            Files.delete(stock);
          }
        });
  }

  /** Copies what DL4J wrote, entry by entry, without the time of writing. */
  private static void copy(Path stock, SteadyZip zip) throws IOException {
    try (ZipFile entries = new ZipFile(stock.toFile())) {
      for (ZipEntry entry : Collections.list(entries.entries())) {
        try (InputStream content = entries.getInputStream(entry)) {
          zip.put(entry.getName(), content);
        }
      }
    }
  }
}
