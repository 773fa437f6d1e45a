package org.dl4jquant.export;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.dl4jquant.convert.QuantizedModel;
import org.dl4jquant.internal.AtomicFile;

/**
 * A zip file of integer codes: what a quantized model is, at a fraction of its size.
 *
 * <p>Entries: {@code manifest.json} with the format version, plan, provenance, a line per
 * parameter, and length and SHA-256 of every other entry; {@code manifest.sha256}, its own; {@code
 * configuration.json}, DL4J's own; {@code codes/<n>.bin}, packed as {@link
 * org.dl4jquant.tensor.QuantizedTensor#packed} states; {@code formats/<n>.bin}, per channel one
 * signed byte, its fractional length, or levels and boundaries of a codebook; {@code
 * values/<n>.bin}, parameters that stay float, big-endian; and, if the model has them, {@code
 * normalizer.bin} and {@code updaterState.bin} ({@code updaterState.double.bin} for a network of
 * doubles). The same model gives the same bytes.
 */
public final class PackedArchive {
  static final String MANIFEST = "manifest.json";
  static final String MANIFEST_HASH = "manifest.sha256";
  static final String CONFIGURATION = "configuration.json";
  static final String NORMALIZER = "normalizer.bin";
  static final String UPDATER_STATE = "updaterState.bin";
  static final String WIDE_UPDATER_STATE = "updaterState.double.bin";

  private PackedArchive() {}

  /**
   * Writes the model with everything attached to it.
   *
   * @throws java.io.UncheckedIOException if the file cannot be written; it is then as it was before
   */
  public static void write(QuantizedModel model, Path file) {
    Map<String, byte[]> entries = new LinkedHashMap<>();
    List<ParameterEntry> parameters = new ArrayList<>();
    ArchiveWriter.collect(model, entries, parameters);
    byte[] manifest = Manifest.write(model, parameters, entries);
    AtomicFile.write(
        file,
        out -> {
          SteadyZip zip = new SteadyZip(out);
          zip.put(MANIFEST, manifest);
          zip.put(MANIFEST_HASH, Manifest.hash(manifest));
          for (Map.Entry<String, byte[]> entry : entries.entrySet()) {
            zip.put(entry.getKey(), entry.getValue());
          }
          zip.finish();
        });
  }

  /**
   * Reads what {@link #write} wrote, after checking all of it: version, names, lengths against
   * shapes, hashes and ranges. A file that would unpack to far more than its size is refused before
   * it is unpacked.
   *
   * @throws InvalidArchiveException if the file is missing, is no such archive, is of an unknown
   *     version, is damaged or has been tampered with
   */
  public static QuantizedModel read(Path file) {
    return ArchiveReader.read(file);
  }
}
