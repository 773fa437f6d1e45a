package org.dl4jquant.datafile;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.google.common.collect.ImmutableMap;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

final class LabeledExamplesTest {
  private static final List<String> INPUT = List.of("in");

  @TempDir Path folder;

  @Test
  void readsCsv() throws IOException {
    Path file = Files.writeString(folder.resolve("a.csv"), "u,class,v\n1,2,3\n4,0,6\n");

    LabeledExamples examples = LabeledExamples.read(file.toString(), "class", INPUT, "out");

    assertEquals(2, examples.size());
    assertEquals(
        Nd4j.createFromArray(new float[][] {{1, 3}, {4, 6}}), examples.features().get("x"));
    assertEquals(Nd4j.createFromArray(2f, 0f), examples.labels().orElseThrow());
  }

  @Test
  void readsAPairOfIdxFilesWithPixelsDividedBy255() throws IOException {
    byte[] images = {0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 0, -1, 51, 102};
    byte[] labels = {0, 0, 8, 1, 0, 0, 0, 2, 1, 0};
    Path imageFile = Files.write(folder.resolve("images"), images);
    Path labelFile = Files.write(folder.resolve("labels"), labels);

    LabeledExamples examples =
        LabeledExamples.read(imageFile + "," + labelFile, "label", INPUT, "out");

    assertArrayEquals(new long[] {2, 1, 2}, examples.features().get("x").shape());
    assertEquals(1.0f, examples.features().get("x").getFloat(0, 0, 1));
    assertEquals(0.2f, examples.features().get("x").getFloat(1, 0, 0));
    assertEquals(Nd4j.createFromArray(1f, 0f), examples.labels().orElseThrow());
  }

  @Test
  void everyArrayMustHaveTheSameNumberOfExamples() {
    assertFails(
        "f: array y must have 2 examples, as many as the others, along axis 0, found shape [3]",
        () -> examples(Nd4j.createFromArray(0f, 1f, 2f)));
  }

  @Test
  void namesAFileThatIsMissingOrOfAnUnknownKind() {
    Path missing = folder.resolve("no.csv");
    assertFails(
        missing + ": does not exist",
        () -> LabeledExamples.read(missing.toString(), "label", INPUT, "out"));
    assertFails(
        "data.parquet: must be a .npz file, a .csv file or two IDX files separated by a comma",
        () -> LabeledExamples.read("data.parquet", "label", INPUT, "out"));
  }

  private static LabeledExamples examples(INDArray labels) {
    return new LabeledExamples("f", ImmutableMap.of("x", Nd4j.zeros(2, 1)), Optional.of(labels));
  }

  private static void assertFails(String message, Executable action) {
    assertEquals(message, assertThrows(InvalidDataFileException.class, action).getMessage());
  }
}
