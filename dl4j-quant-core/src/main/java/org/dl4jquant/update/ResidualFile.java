package org.dl4jquant.update;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.google.common.collect.ImmutableList;
import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestInputStream;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import org.dl4jquant.internal.AtomicFile;

/** Reads and writes the file format that {@link ResidualArchive} documents. */
final class ResidualFile {
  private static final byte[] MAGIC = "DL4JQRES".getBytes(StandardCharsets.US_ASCII);
  private static final int VERSION = 1;
  private static final int MAX_HEADER = 1 << 24;
  private static final int DIGEST_BYTES = 32;
  private static final int BLOCK = 8192;
  private static final ObjectMapper JSON = new ObjectMapper();

  private ResidualFile() {}

  static void write(ResidualArchive archive, Path file) {
    AtomicFile.write(file, out -> write(archive, out));
  }

  private static void write(ResidualArchive archive, OutputStream raw) throws IOException {
    MessageDigest digest = sha256();
    DataOutputStream out = new DataOutputStream(new DigestOutputStream(raw, digest));
    byte[] header = JSON.writeValueAsBytes(ResidualHeader.of(archive, ResidualFile::digest));
    out.write(MAGIC);
    out.writeInt(VERSION);
    out.writeInt(header.length);
    out.write(header);
    for (ResidualTensor tensor : archive.tensors()) {
      eachBlock(tensor.weights(), (bytes, count) -> out.write(bytes, 0, count));
    }
    out.flush();
    raw.write(digest.digest());
  }

  static ResidualArchive read(Path file) throws IOException {
    MessageDigest digest = sha256();
    try (DataInputStream in =
        new DataInputStream(
            new DigestInputStream(new BufferedInputStream(Files.newInputStream(file)), digest))) {
      checkStart(file, in);
      ResidualHeader header = header(file, in);
      long expected = header.states().stream().mapToLong(s -> (long) Long.BYTES * s.length()).sum();
      long left = Files.size(file) - header.end() - DIGEST_BYTES;
      if (left != expected) {
        throw new InvalidResidualFileException(
            file, "the states", "have " + left + " bytes instead of " + expected);
      }
      ImmutableList.Builder<ResidualTensor> tensors = ImmutableList.builder();
      for (ResidualHeader.State state : header.states()) {
        FineWeights weights = weights(in, state);
        if (!digest(weights).equals(state.sha256())) {
          throw new InvalidResidualFileException(
              file, state.layer() + "." + state.parameter(), "does not match its SHA-256");
        }
        tensors.add(state.tensor(weights));
      }
      byte[] found = digest.digest();
      if (!MessageDigest.isEqual(found, in.readNBytes(DIGEST_BYTES))) {
        throw new InvalidResidualFileException(file, "the file", "does not match its SHA-256");
      }
      return new ResidualArchive(header.modelDigest(), tensors.build());
    } catch (EOFException e) {
      throw new InvalidResidualFileException(file, "the file", "is cut short", e);
    } catch (IllegalArgumentException | ArithmeticException e) {
      throw new InvalidResidualFileException(
          file, "the header", "is refused: " + e.getMessage(), e);
    }
  }

  private static void checkStart(Path file, DataInputStream in) throws IOException {
    if (!MessageDigest.isEqual(MAGIC, in.readNBytes(MAGIC.length))) {
      throw new InvalidResidualFileException(file, "the start", "is not that of a residual file");
    }
    int version = in.readInt();
    if (version != VERSION) {
      throw new InvalidResidualFileException(
          file, "the version", "must be " + VERSION + ", found " + version);
    }
  }

  private static ResidualHeader header(Path file, DataInputStream in) throws IOException {
    int length = in.readInt();
    if (length < 0 || length > MAX_HEADER) {
      throw new InvalidResidualFileException(
          file, "the header's length", "must be between 0 and " + MAX_HEADER + ", found " + length);
    }
    byte[] bytes = in.readNBytes(length);
    try {
      JsonNode root = JSON.readTree(bytes);
      return ResidualHeader.parse(root, MAGIC.length + 2 * Integer.BYTES + length);
    } catch (JsonProcessingException e) {
      throw new InvalidResidualFileException(file, "the header", "is not JSON", e);
    }
  }

  private static FineWeights weights(DataInputStream in, ResidualHeader.State state)
      throws IOException {
    FineWeights weights = FineWeights.resume(state.rule(), state.steps(), state.length());
    long[] words = new long[BLOCK];
    byte[] bytes = new byte[BLOCK * Long.BYTES];
    for (int from = 0; from < weights.length(); from += BLOCK) {
      int count = Math.min(BLOCK, weights.length() - from);
      in.readFully(bytes, 0, count * Long.BYTES);
      ByteBuffer.wrap(bytes).asLongBuffer().get(words, 0, count);
      weights.restore(from, words, count);
    }
    return weights;
  }

  private static String digest(FineWeights weights) {
    MessageDigest digest = sha256();
    try {
      eachBlock(weights, (bytes, count) -> digest.update(bytes, 0, count));
    } catch (IOException e) {
      throw new AssertionError("a digest does no input or output", e);
    }
    return HexFormat.of().formatHex(digest.digest());
  }

  private static void eachBlock(FineWeights weights, BlockSink sink) throws IOException {
    long[] words = new long[BLOCK];
    byte[] bytes = new byte[BLOCK * Long.BYTES];
    for (int from = 0; from < weights.length(); from += BLOCK) {
      int count = Math.min(BLOCK, weights.length() - from);
      weights.archive(from, words, count);
      ByteBuffer.wrap(bytes).asLongBuffer().put(words, 0, count);
      sink.accept(bytes, count * Long.BYTES);
    }
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every Java platform has SHA-256", e);
    }
  }

  /** Takes the first {@code count} bytes of a block. */
  private interface BlockSink {
    void accept(byte[] bytes, int count) throws IOException;
  }
}
