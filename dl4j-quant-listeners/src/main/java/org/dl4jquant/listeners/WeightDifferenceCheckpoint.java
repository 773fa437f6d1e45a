package org.dl4jquant.listeners;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestInputStream;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import org.dl4jquant.internal.AtomicFile;
import org.dl4jquant.internal.Checks;
import org.dl4jquant.stats.InvalidStatisticsException;
import org.dl4jquant.stats.WeightDifferences;

/**
 * The file of a listener's state, version 1, big-endian: the 8 bytes {@code DL4JQWDL}, the version
 * and the header's length as ints, the header as JSON, the reference weights of each tensor that is
 * not frozen as floats or doubles, and the SHA-256 of everything before.
 */
final class WeightDifferenceCheckpoint {
  private static final byte[] MAGIC = "DL4JQWDL".getBytes(StandardCharsets.US_ASCII);
  private static final int VERSION = 1;
  private static final int MAX_HEADER = 1 << 28;
  private static final int DIGEST_BYTES = 32;
  private static final int BLOCK = 8192;
  private static final ObjectMapper JSON = new ObjectMapper();

  private WeightDifferenceCheckpoint() {}

  /** What a file holds beside the reference weights. */
  record State(WeightDifferences ended, OpenCycle open) {}

  static void write(Path file, WeightDifferences ended, OpenCycle open, WatchedNetwork network) {
    ObjectNode header = JSON.createObjectNode();
    header
        .put("differences", ended.toJson())
        .put("iterations", open.iterations())
        .put("epochs", open.epochs())
        .put("epochSeen", open.epochSeen())
        .put("model", CarriedCheckpoint.digest(network.model().params()))
        .put("bytes", referenceBytes(network));
    AtomicFile.write(
        file,
        raw -> {
          MessageDigest digest = sha256();
          DataOutputStream out = new DataOutputStream(new DigestOutputStream(raw, digest));
          byte[] json = JSON.writeValueAsBytes(header);
          out.write(MAGIC);
          out.writeInt(VERSION);
          out.writeInt(json.length);
          out.write(json);
          for (WatchedTensor tensor : network.tensors()) {
            writeReference(out, tensor);
          }
          out.flush();
          raw.write(digest.digest());
        });
  }

  /** Reads the state, and the reference weights into {@code network}. */
  static State read(Path file, WeightDifferences expected, WatchedNetwork network) {
    MessageDigest digest = sha256();
    try (DataInputStream in =
        new DataInputStream(
            new DigestInputStream(new BufferedInputStream(Files.newInputStream(file)), digest))) {
      if (!MessageDigest.isEqual(MAGIC, in.readNBytes(MAGIC.length))) {
        throw invalid(file, "must be the saved state of a weight-difference listener");
      }
      int version = in.readInt();
      if (version != VERSION) {
        throw invalid(file, "version must be " + VERSION + ", found " + version);
      }
      int length = in.readInt();
      if (length < 0 || length > MAX_HEADER) {
        throw invalid(file, "header must have at most " + MAX_HEADER + " bytes, found " + length);
      }
      JsonNode header = header(file, in.readNBytes(length));
      WeightDifferences ended =
          WeightDifferences.fromJson(text(file, header, "differences"), file.toString());
      requireSame(file, ended, expected);
      long bytes = Files.size(file) - MAGIC.length - 2 * Integer.BYTES - length - DIGEST_BYTES;
      if (bytes != referenceBytes(network) || header.path("bytes").longValue() != bytes) {
        throw invalid(
            file, "must have " + referenceBytes(network) + " bytes of weights, found " + bytes);
      }
      for (WatchedTensor tensor : network.tensors()) {
        readReference(in, tensor);
      }
      byte[] found = digest.digest();
      if (!MessageDigest.isEqual(found, in.readNBytes(DIGEST_BYTES))) {
        throw invalid(file, "does not match its SHA-256");
      }
      String model = CarriedCheckpoint.digest(network.model().params());
      Checks.that(
          model.equals(text(file, header, "model")),
          file + ": the network",
          "have the weights it had when the file was written; save both without a step in between",
          "others");
      return new State(ended, open(header));
    } catch (EOFException e) {
      throw new InvalidStatisticsException(file.toString(), "is cut short", e);
    } catch (IOException e) {
      throw new UncheckedIOException(file + ": cannot be read: " + e.getMessage(), e);
    }
  }

  private static OpenCycle open(JsonNode header) {
    return new OpenCycle(
        header.path("iterations").longValue(),
        header.path("epochs").longValue(),
        header.path("epochSeen").booleanValue());
  }

  private static void requireSame(Path file, WeightDifferences saved, WeightDifferences expected) {
    try {
      expected.combine(saved);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(
          file + ": belongs to another network or other settings: " + e.getMessage(), e);
    }
  }

  private static JsonNode header(Path file, byte[] bytes) throws IOException {
    try {
      return JSON.readTree(bytes);
    } catch (JsonProcessingException e) {
      throw new InvalidStatisticsException(file.toString(), "header is not JSON", e);
    }
  }

  private static String text(Path file, JsonNode header, String field) {
    if (!header.path(field).isTextual()) {
      throw invalid(file, field + " must be a text, found " + header.path(field).getNodeType());
    }
    return header.path(field).textValue();
  }

  private static long referenceBytes(WatchedNetwork network) {
    return network.tensors().stream()
        .mapToLong(
            tensor ->
                (long) Float.BYTES * tensor.floats().length
                    + (long) Double.BYTES * tensor.doubles().length)
        .sum();
  }

  private static void writeReference(DataOutputStream out, WatchedTensor tensor)
      throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(BLOCK * Double.BYTES);
    for (int from = 0; from < tensor.floats().length; from += BLOCK) {
      int count = Math.min(BLOCK, tensor.floats().length - from);
      bytes.asFloatBuffer().put(tensor.floats(), from, count);
      out.write(bytes.array(), 0, count * Float.BYTES);
    }
    for (int from = 0; from < tensor.doubles().length; from += BLOCK) {
      int count = Math.min(BLOCK, tensor.doubles().length - from);
      bytes.asDoubleBuffer().put(tensor.doubles(), from, count);
      out.write(bytes.array(), 0, count * Double.BYTES);
    }
  }

  private static void readReference(DataInputStream in, WatchedTensor tensor) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(BLOCK * Double.BYTES);
    for (int from = 0; from < tensor.floats().length; from += BLOCK) {
      int count = Math.min(BLOCK, tensor.floats().length - from);
      in.readFully(bytes.array(), 0, count * Float.BYTES);
      bytes.asFloatBuffer().get(tensor.floats(), from, count);
    }
    for (int from = 0; from < tensor.doubles().length; from += BLOCK) {
      int count = Math.min(BLOCK, tensor.doubles().length - from);
      in.readFully(bytes.array(), 0, count * Double.BYTES);
      bytes.asDoubleBuffer().get(tensor.doubles(), from, count);
    }
  }

  private static InvalidStatisticsException invalid(Path file, String problem) {
    return new InvalidStatisticsException(file.toString(), problem);
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every Java platform has SHA-256", e);
    }
  }
}
