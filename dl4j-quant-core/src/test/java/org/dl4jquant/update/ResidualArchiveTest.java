package org.dl4jquant.update;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.common.collect.ImmutableList;
import com.google.common.primitives.ImmutableIntArray;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.dl4jquant.format.FixedPointFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class ResidualArchiveTest {
  @TempDir Path directory;

  private static FineWeights trained(UpdateRule rule, int length) {
    SplittableRandom random = new SplittableRandom(length);
    float[] weights = new float[length];
    FineWeights fine = FineWeights.start(rule, ValueBuffer.of(weights));
    step(fine, weights, random);
    step(fine, weights, random);
    return fine;
  }

  private static void step(FineWeights fine, float[] weights, SplittableRandom random) {
    float[] updates = new float[weights.length];
    for (int i = 0; i < updates.length; i++) {
      updates[i] = (float) (random.nextDouble() - 0.5) / 20;
      weights[i] -= updates[i];
    }
    fine.subtract(ValueBuffer.of(updates), ValueBuffer.of(weights));
  }

  private static ResidualArchive archive() {
    FixedPointFormat format = FixedPointFormat.signed(8, 6).withNarrowRange();
    return new ResidualArchive(
        "model",
        ImmutableList.of(
            new ResidualTensor(
                "first",
                "W",
                ImmutableList.of(3L, 5L),
                trained(UpdateRule.accumulated(format), 15),
                ImmutableIntArray.of(6, -2, 9)),
            ResidualTensor.of(
                "second",
                "W",
                List.of(9_000L),
                trained(UpdateRule.of(format, ReadOut.STOCHASTIC_ROUNDING).withSeed(-3), 9_000))));
  }

  @Test
  void readsWhatItWrote() throws IOException {
    Path file = directory.resolve("run.residuals");
    ResidualArchive written = archive();
    written.write(file);
    written.write(file);
    ResidualArchive read = ResidualArchive.read(file);
    assertEquals("model", read.modelDigest());
    assertEquals(2, read.tensors().size());
    for (int i = 0; i < 2; i++) {
      ResidualTensor before = written.tensors().get(i);
      ResidualTensor after = read.tensors().get(i);
      assertEquals(before.describe(), after.describe());
      assertEquals(before.fractionalLengths(), after.fractionalLengths());
      assertEquals(before.weights().rule(), after.weights().rule());
      assertEquals(before.weights().steps(), after.weights().steps());
      assertArrayEquals(states(before), states(after));
    }
    try (Stream<Path> files = Files.list(directory)) {
      assertEquals(1, files.count(), "nothing half written is left");
    }
  }

  private static long[] states(ResidualTensor tensor) {
    long[] words = new long[tensor.weights().length()];
    tensor.weights().archive(0, words, words.length);
    return words;
  }

  @Test
  void everyDamagedByteIsNoticed() throws IOException {
    Path file = directory.resolve("run.residuals");
    archive().write(file);
    byte[] bytes = Files.readAllBytes(file);
    for (int i = 0; i < bytes.length; i += i < 1500 ? 1 : 3001) {
      byte[] damaged = bytes.clone();
      damaged[i] ^= 0x11;
      Files.write(file, damaged);
      InvalidResidualFileException thrown =
          assertThrows(
              InvalidResidualFileException.class, () -> ResidualArchive.read(file), "byte " + i);
      assertTrue(thrown.getMessage().startsWith(file.toString()));
    }
  }

  @Test
  void cutFileIsNoticed() throws IOException {
    Path file = directory.resolve("run.residuals");
    archive().write(file);
    byte[] bytes = Files.readAllBytes(file);
    for (int length : new int[] {0, 3, 8, 12, 16, 40, 2000, bytes.length - 40, bytes.length - 1}) {
      Files.write(file, Arrays.copyOf(bytes, length));
      assertThrows(InvalidResidualFileException.class, () -> ResidualArchive.read(file));
    }
    Files.write(file, Arrays.copyOf(bytes, bytes.length + 1));
    assertThrows(InvalidResidualFileException.class, () -> ResidualArchive.read(file));
  }

  @Test
  void damagedStateIsNamed() throws IOException {
    Path file = directory.resolve("run.residuals");
    archive().write(file);
    byte[] bytes = Files.readAllBytes(file);
    bytes[bytes.length - 100] ^= 1;
    Files.write(file, bytes);
    InvalidResidualFileException thrown =
        assertThrows(InvalidResidualFileException.class, () -> ResidualArchive.read(file));
    assertEquals(file + ": second.W does not match its SHA-256", thrown.getMessage());
  }

  @Test
  void headerIsReadableJson() throws IOException {
    Path file = directory.resolve("run.residuals");
    archive().write(file);
    String text = new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1);
    assertTrue(text.startsWith("DL4JQRES"));
    assertTrue(text.contains("\"layer\":\"first\",\"parameter\":\"W\",\"shape\":[3,5]"));
  }

  @Test
  void refusesAnUnknownVersion() throws IOException {
    Path file = directory.resolve("run.residuals");
    archive().write(file);
    byte[] bytes = Files.readAllBytes(file);
    bytes[11] = 2;
    Files.write(file, bytes);
    InvalidResidualFileException thrown =
        assertThrows(InvalidResidualFileException.class, () -> ResidualArchive.read(file));
    assertEquals(file + ": the version must be 1, found 2", thrown.getMessage());
  }

  @Test
  void refusesTwoTensorsOfOneName() {
    ResidualTensor tensor = archive().tensors().get(0);
    assertThrows(
        IllegalArgumentException.class,
        () -> new ResidualArchive("model", ImmutableList.of(tensor, tensor)));
  }
}
