package org.dl4jquant.export;

import com.google.common.collect.ImmutableList;
import com.google.common.primitives.Ints;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Iterator;
import java.util.Map;
import java.util.Optional;
import java.util.zip.ZipEntry;
import java.util.zip.ZipException;
import java.util.zip.ZipFile;
import org.dl4jquant.convert.Attachments;
import org.dl4jquant.convert.ModelContent;
import org.dl4jquant.convert.QuantizedLayer;
import org.dl4jquant.convert.QuantizedModel;
import org.dl4jquant.convert.QuantizedParameter;
import org.dl4jquant.tensor.QuantizedTensor;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.api.preprocessor.Normalizer;
import org.nd4j.linalg.dataset.api.preprocessor.serializer.NormalizerSerializer;
import org.nd4j.linalg.factory.Nd4j;

/** Reads an archive and checks version, lengths, hashes and ranges before it builds anything. */
final class ArchiveReader {
  private static final int MAX_MANIFEST = 1 << 26;

  private final Path file;
  private final Manifest manifest;
  private final Map<String, byte[]> entries;

  private ArchiveReader(Path file, Manifest manifest, Map<String, byte[]> entries) {
    this.file = file;
    this.manifest = manifest;
    this.entries = entries;
  }

  static QuantizedModel read(Path file) {
    if (!Files.isRegularFile(file)) {
      throw new InvalidArchiveException(file.toString(), "does not exist or is not a file");
    }
    try (ZipFile zip = new ZipFile(file.toFile())) {
      byte[] json = bytes(zip, file, PackedArchive.MANIFEST, MAX_MANIFEST);
      byte[] hash = bytes(zip, file, PackedArchive.MANIFEST_HASH, Manifest.hash(json).length);
      Manifest manifest = Manifest.read(json, file + ", entry " + PackedArchive.MANIFEST);
      if (!Arrays.equals(hash, Manifest.hash(json))) {
        throw new InvalidArchiveException(
            file + ", entry " + PackedArchive.MANIFEST, "does not match its SHA-256");
      }
      ArchiveLayout.check(zip, file, manifest);
      Map<String, byte[]> entries = new HashMap<>();
      for (Map.Entry<String, Manifest.Content> expected : manifest.contents().entrySet()) {
        entries.put(expected.getKey(), checked(zip, file, expected.getKey(), expected.getValue()));
      }
      return new ArchiveReader(file, manifest, entries).model();
    } catch (ZipException e) {
      throw new InvalidArchiveException(
          file.toString(), "is damaged or not a zip file: " + e.getMessage(), e);
    } catch (IOException e) {
      throw new InvalidArchiveException(file.toString(), "cannot be read: " + e.getMessage(), e);
    }
  }

  private static byte[] checked(ZipFile zip, Path file, String name, Manifest.Content expected)
      throws IOException {
    byte[] bytes = bytes(zip, file, name, expected.length());
    if (!Manifest.Content.of(bytes).equals(expected)) {
      throw new InvalidArchiveException(
          file + ", entry " + name, "is not what the manifest says: length or SHA-256 differs");
    }
    return bytes;
  }

  /** Never allocates more than the entry really has, nor more than {@code limit} and one byte. */
  private static byte[] bytes(ZipFile zip, Path file, String name, long limit) throws IOException {
    ZipEntry entry = zip.getEntry(name);
    if (entry == null) {
      throw new InvalidArchiveException(file.toString(), "lacks the entry " + name);
    }
    try (InputStream in = zip.getInputStream(entry)) {
      return in.readNBytes((int) limit + 1);
    }
  }

  private QuantizedModel model() {
    Iterator<ParameterEntry> parameters = manifest.parameters().iterator();
    Optional<ParameterEntry> next = next(parameters);
    ImmutableList.Builder<QuantizedLayer> layers = ImmutableList.builder();
    for (Map.Entry<String, String> layer : manifest.layers().entrySet()) {
      ImmutableList.Builder<QuantizedParameter> own = ImmutableList.builder();
      while (next.isPresent() && next.get().layer().equals(layer.getKey())) {
        own.add(parameter(next.get()));
        next = next(parameters);
      }
      layers.add(new QuantizedLayer(layer.getKey(), layer.getValue(), own.build()));
    }
    if (next.isPresent()) {
      throw new InvalidArchiveException(
          where(PackedArchive.MANIFEST),
          "has a parameter of an unknown layer " + next.get().layer());
    }
    return new QuantizedModel(
        new ModelContent(
            manifest.graph(),
            new String(entry(PackedArchive.CONFIGURATION), StandardCharsets.UTF_8),
            layers.build(),
            manifest.activations(),
            manifest.plan(),
            manifest.provenance(),
            new Attachments(normalizer(), updaterState()),
            manifest.inputShapes()));
  }

  private static Optional<ParameterEntry> next(Iterator<ParameterEntry> parameters) {
    return parameters.hasNext() ? Optional.of(parameters.next()) : Optional.empty();
  }

  private QuantizedParameter parameter(ParameterEntry entry) {
    try {
      return entry.coded().isPresent()
          ? new QuantizedParameter(
              entry.key(),
              entry.role(),
              Optional.of(codes(entry, entry.coded().get())),
              Optional.empty(),
              "",
              entry.sqnrDb())
          : new QuantizedParameter(
              entry.key(),
              entry.role(),
              Optional.empty(),
              Optional.of(values(entry)),
              entry.floatReason(),
              entry.sqnrDb());
    } catch (IllegalArgumentException | ArithmeticException e) {
      throw new InvalidArchiveException(
          where(entry.content()),
          "does not fit parameter " + entry.layer() + "/" + entry.key() + ": " + e.getMessage(),
          e);
    }
  }

  private QuantizedTensor codes(ParameterEntry entry, ParameterEntry.Coding coding) {
    return QuantizedTensor.fromPacked(
        entry(entry.content()),
        coding.granularity(),
        FormatBytes.read(entry(coding.formats()), coding),
        Ints.toArray(entry.shape()));
  }

  private INDArray values(ParameterEntry entry) {
    DataType type = DataType.valueOf(entry.dataType());
    long[] shape = entry.shape().stream().mapToLong(Integer::longValue).toArray();
    return array(entry(entry.content()), type, shape);
  }

  private INDArray array(byte[] bytes, DataType type, long... shape) {
    ByteBuffer buffer = ByteBuffer.wrap(bytes);
    if (type == DataType.DOUBLE) {
      double[] values = new double[bytes.length / Double.BYTES];
      buffer.asDoubleBuffer().get(values);
      return Nd4j.create(values, shape, 'c');
    }
    float[] values = new float[bytes.length / Float.BYTES];
    buffer.asFloatBuffer().get(values);
    return Nd4j.create(values, shape, 'c').castTo(type);
  }

  private Optional<Normalizer<?>> normalizer() {
    byte[] bytes = entries.get(PackedArchive.NORMALIZER);
    if (bytes == null) {
      return Optional.empty();
    }
    try {
      Normalizer<?> normalizer =
          NormalizerSerializer.getDefault().restore(new ByteArrayInputStream(bytes));
      return Optional.of(normalizer);
    } catch (Exception e) { // NormalizerSerializer declares no less
      throw new InvalidArchiveException(
          where(PackedArchive.NORMALIZER), "cannot be restored: " + e.getMessage(), e);
    }
  }

  private Optional<INDArray> updaterState() {
    byte[] floats = entries.get(PackedArchive.UPDATER_STATE);
    if (floats != null) {
      return Optional.of(array(floats, DataType.FLOAT, 1, floats.length / Float.BYTES));
    }
    byte[] doubles = entries.get(PackedArchive.WIDE_UPDATER_STATE);
    return doubles == null
        ? Optional.empty()
        : Optional.of(array(doubles, DataType.DOUBLE, 1, doubles.length / Double.BYTES));
  }

  private byte[] entry(String name) {
    byte[] bytes = entries.get(name);
    if (bytes == null) {
      throw new InvalidArchiveException(
          where(PackedArchive.MANIFEST), "names an entry without a hash: " + name);
    }
    return bytes;
  }

  private String where(String entry) {
    return file + ", entry " + entry;
  }
}
