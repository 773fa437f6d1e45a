package org.dl4jquant.export;

import com.google.common.collect.ImmutableSet;
import com.google.common.primitives.Ints;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import org.dl4jquant.tensor.Tensor;
import org.nd4j.linalg.api.buffer.DataType;

/** What can be known of an archive's entries before any but the manifest is unpacked. */
final class ArchiveLayout {
  /** Real archives unpack to a few times their size; small ones may hold a network of zeros. */
  private static final long MAX_RATIO = 128;

  private static final long MAX_SMALL = 1L << 26;

  private static final ImmutableSet<String> OPTIONAL =
      ImmutableSet.of(
          PackedArchive.NORMALIZER, PackedArchive.UPDATER_STATE, PackedArchive.WIDE_UPDATER_STATE);

  private final Path file;
  private final Manifest manifest;

  private ArchiveLayout(Path file, Manifest manifest) {
    this.file = file;
    this.manifest = manifest;
  }

  /**
   * Checks names, lengths and sizes.
   *
   * @throws InvalidArchiveException if the zip file has other entries than the manifest says, or a
   *     length does not follow from the shape, or the whole is too large for the file
   */
  static void check(ZipFile zip, Path file, Manifest manifest) throws IOException {
    ArchiveLayout layout = new ArchiveLayout(file, manifest);
    layout.checkNames(zip);
    layout.checkLengths();
    layout.checkSize();
  }

  private void checkNames(ZipFile zip) {
    Set<String> found = new HashSet<>();
    zip.stream().map(ZipEntry::getName).forEach(name -> checkName(name, found));
    Set<String> used = new HashSet<>(OPTIONAL);
    used.add(PackedArchive.CONFIGURATION);
    for (ParameterEntry parameter : manifest.parameters()) {
      checkUse(parameter.content(), used);
      parameter.coded().ifPresent(coding -> checkUse(coding.formats(), used));
    }
    for (String name : manifest.contents().keySet()) {
      if (!used.contains(name)) {
        throw invalid(PackedArchive.MANIFEST, "names an entry that nothing uses: " + name);
      }
    }
  }

  private void checkName(String name, Set<String> found) {
    boolean own = name.equals(PackedArchive.MANIFEST) || name.equals(PackedArchive.MANIFEST_HASH);
    if (!own && !manifest.contents().containsKey(name)) {
      throw new InvalidArchiveException(
          file.toString(), "has an entry that the manifest does not name: " + name);
    }
    if (!found.add(name)) {
      throw new InvalidArchiveException(file.toString(), "has two entries of the name " + name);
    }
  }

  private void checkUse(String name, Set<String> used) {
    if (!manifest.contents().containsKey(name)) {
      throw invalid(PackedArchive.MANIFEST, "names an entry without a hash: " + name);
    }
    if (!used.add(name)) {
      throw invalid(PackedArchive.MANIFEST, "uses an entry twice: " + name);
    }
  }

  private void checkLengths() {
    for (ParameterEntry parameter : manifest.parameters()) {
      try {
        long elements = Tensor.elements(Ints.toArray(parameter.shape()));
        if (parameter.coded().isPresent()) {
          ParameterEntry.Coding coding = parameter.coded().get();
          int bits = coding.bitWidth() > Short.SIZE ? Integer.SIZE : coding.bitWidth();
          checkLength(parameter.content(), (Math.multiplyExact(elements, bits) + 7) / Byte.SIZE);
          int channels = channels(coding, parameter);
          checkLength(
              coding.formats(), FormatBytes.length(coding.scheme(), channels, coding.levels()));
        } else {
          DataType type = DataType.valueOf(parameter.dataType());
          if (!type.isFPType()) {
            throw new IllegalArgumentException("floats cannot be of type " + type);
          }
          int width = type == DataType.DOUBLE ? Double.BYTES : Float.BYTES;
          checkLength(parameter.content(), Math.multiplyExact(elements, width));
        }
      } catch (IllegalArgumentException | ArithmeticException e) {
        throw invalid(
            PackedArchive.MANIFEST,
            "describes parameter %s/%s wrongly: %s"
                .formatted(parameter.layer(), parameter.key(), e.getMessage()));
      }
    }
  }

  private static int channels(ParameterEntry.Coding coding, ParameterEntry parameter) {
    return coding.granularity().channels(Ints.toArray(parameter.shape()));
  }

  private void checkLength(String name, long expected) {
    Manifest.Content content = manifest.contents().get(name);
    if (content != null && content.length() != expected) {
      throw invalid(
          name, "must have " + expected + " bytes by its shape, found " + content.length());
    }
  }

  private void checkSize() throws IOException {
    long total = 0;
    for (Manifest.Content content : manifest.contents().values()) {
      if (content.length() < 0 || content.length() > Integer.MAX_VALUE - Long.BYTES) {
        throw invalid(
            PackedArchive.MANIFEST,
            "must name entries of 0 bytes to 2 GiB, found " + content.length());
      }
      total += content.length();
    }
    long limit = Math.max(MAX_SMALL, MAX_RATIO * Files.size(file));
    if (total > limit) {
      throw new InvalidArchiveException(
          file.toString(), "must unpack to at most " + limit + " bytes, found " + total);
    }
  }

  private InvalidArchiveException invalid(String entry, String problem) {
    return new InvalidArchiveException(file + ", entry " + entry, problem);
  }
}
