package org.dl4jquant.finetune;

import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableMap;
import com.google.common.hash.Hashing;
import com.google.common.io.ByteArrayDataOutput;
import com.google.common.io.ByteStreams;
import com.google.common.primitives.ImmutableIntArray;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.dl4jquant.convert.QuantizedModel;
import org.dl4jquant.export.PackedArchive;
import org.dl4jquant.format.FixedPointFormat;
import org.dl4jquant.internal.AtomicFile;
import org.dl4jquant.internal.Checks;
import org.dl4jquant.update.ResidualArchive;
import org.dl4jquant.update.ResidualTensor;

/**
 * What a fine-tuning run is beside its network, in one file: the 8 bytes {@code DL4JQRUN}, the
 * version as an int, the SHA-256 of the rest, then whether batch normalization is alive, the number
 * of epochs, and named parts with their lengths, big-endian. Not thread-safe.
 */
final class RunState {
  /** The model whose formats the network computes with, as {@link PackedArchive} writes it. */
  private static final String MODEL = "model";

  private static final String STEPS = "steps";
  private static final String SHADOWS = "shadows";
  private static final String MASTERS = "masters";
  private static final byte[] MAGIC = "DL4JQRUN".getBytes(StandardCharsets.US_ASCII);
  private static final int VERSION = 1;
  private static final int DIGEST_BYTES = 32;

  private final boolean live;
  private final int epochs;
  private final Map<String, byte[]> parts;

  private RunState(boolean live, int epochs, Map<String, byte[]> parts) {
    this.live = live;
    this.epochs = epochs;
    this.parts = parts;
  }

  /** What writes a file or reads one. */
  private interface WithFile {
    void accept(Path file) throws IOException;
  }

  /** What writes a part. */
  private interface Part {
    void writeTo(DataOutputStream out) throws IOException;
  }

  static RunState of(TrainingNetwork training, boolean live, int epochs) throws IOException {
    Map<String, byte[]> parts = new TreeMap<>();
    parts.put(MODEL, written(file -> PackedArchive.write(training.model(), file)));
    parts.put(SHADOWS, bytes(training.shadows()::write));
    if (training.steps().isPresent()) {
      parts.put(STEPS, bytes(training.steps().get()::write));
    }
    if (training.masters().isPresent()) {
      parts.put(MASTERS, written(training.masters().get()::save));
    }
    return new RunState(live, epochs, parts);
  }

  private static byte[] bytes(Part part) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (DataOutputStream out = new DataOutputStream(bytes)) {
      part.writeTo(out);
    }
    return bytes.toByteArray();
  }

  private static byte[] written(WithFile writer) throws IOException {
    Path file = Files.createTempFile("dl4j-quant", ".part");
    try {
      writer.accept(file);
      return Files.readAllBytes(file);
    } finally {
      Files.deleteIfExists(file);
    }
  }

  private void read(String part, WithFile reader) throws IOException {
    Path file = Files.createTempFile("dl4j-quant", ".part");
    try {
      Files.write(file, part(part));
      reader.accept(file);
    } finally {
      Files.deleteIfExists(file);
    }
  }

  private byte[] part(String name) {
    return Optional.ofNullable(parts.get(name))
        .orElseThrow(() -> Checks.violated("file", "have the part " + name, parts.keySet()));
  }

  void write(Path file) {
    ByteArrayDataOutput body = ByteStreams.newDataOutput();
    body.writeBoolean(live);
    body.writeInt(epochs);
    body.writeInt(parts.size());
    parts.forEach(
        (name, bytes) -> {
          body.writeUTF(name);
          body.writeInt(bytes.length);
          body.write(bytes);
        });
    byte[] bytes = body.toByteArray();
    AtomicFile.write(
        file,
        stream -> {
          DataOutputStream out = new DataOutputStream(stream);
          out.write(MAGIC);
          out.writeInt(VERSION);
          out.write(Hashing.sha256().hashBytes(bytes).asBytes());
          out.write(bytes);
          out.flush();
        });
  }

  /**
   * Reads what {@link #write} wrote.
   *
   * @throws IllegalArgumentException if the file is not one, or damaged
   */
  static RunState read(Path file) throws IOException {
    byte[] all = Files.readAllBytes(file);
    int start = MAGIC.length + Integer.BYTES + DIGEST_BYTES;
    boolean known = all.length >= start && Arrays.equals(MAGIC, Arrays.copyOf(all, MAGIC.length));
    Checks.that(known, file.toString(), "be the state of a fine-tuning", "another file");
    DataInputStream in = new DataInputStream(new ByteArrayInputStream(all));
    in.skipNBytes(MAGIC.length);
    int version = in.readInt();
    Checks.that(version == VERSION, file + ": the version", "be " + VERSION, version);
    byte[] digest = in.readNBytes(DIGEST_BYTES);
    byte[] found = Hashing.sha256().hashBytes(all, start, all.length - start).asBytes();
    Checks.that(Arrays.equals(digest, found), file.toString(), "match its SHA-256", "damage");
    boolean live = in.readBoolean();
    int epochs = in.readInt();
    Map<String, byte[]> parts = new TreeMap<>();
    for (int left = in.readInt(); left > 0; left--) {
      parts.put(in.readUTF(), in.readNBytes(in.readInt()));
    }
    return new RunState(live, epochs, parts);
  }

  boolean live() {
    return live;
  }

  int epochs() {
    return epochs;
  }

  /** Returns whether steps were being learned. */
  boolean learnsSteps() {
    return parts.containsKey(STEPS);
  }

  QuantizedModel model() throws IOException {
    QuantizedModel[] read = new QuantizedModel[1];
    read(MODEL, file -> read[0] = PackedArchive.read(file));
    return read[0];
  }

  /** Returns the formats in which weights are carried, by parameter, such as {@code dense.W}. */
  ImmutableMap<String, ImmutableList<FixedPointFormat>> grids() throws IOException {
    ImmutableMap.Builder<String, ImmutableList<FixedPointFormat>> grids = ImmutableMap.builder();
    if (parts.containsKey(MASTERS)) {
      read(
          MASTERS,
          file ->
              ResidualArchive.read(file)
                  .tensors()
                  .forEach(
                      tensor ->
                          grids.put(tensor.layer() + "." + tensor.parameter(), formats(tensor))));
    }
    return grids.buildOrThrow();
  }

  private static ImmutableList<FixedPointFormat> formats(ResidualTensor tensor) {
    FixedPointFormat like = tensor.weights().rule().weightFormat();
    ImmutableIntArray lengths = tensor.fractionalLengths();
    return lengths.stream()
        .mapToObj(like::withFractionalLength)
        .collect(ImmutableList.toImmutableList());
  }

  /**
   * Gives a network that was built of {@link #model} and {@link #grids}, and has the parameters of
   * the saved one, all the rest.
   *
   * @throws IllegalArgumentException if it learns or carries other things
   */
  void restore(TrainingNetwork training) throws IOException {
    Checks.that(
        training.steps().isPresent() == parts.containsKey(STEPS)
            && training.masters().isPresent() == parts.containsKey(MASTERS),
        "file",
        "be of a run that learns and carries the same",
        parts.keySet());
    training.shadows().read(in(SHADOWS));
    if (training.steps().isPresent()) {
      training.steps().get().read(in(STEPS), training.network());
    }
    if (training.masters().isPresent()) {
      read(MASTERS, file -> training.masters().get().restore(file, training.network()));
    }
  }

  private DataInputStream in(String part) {
    return new DataInputStream(new ByteArrayInputStream(part(part)));
  }
}
