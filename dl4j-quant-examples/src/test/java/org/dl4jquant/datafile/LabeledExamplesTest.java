package org.dl4jquant.datafile;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.google.common.collect.ImmutableMap;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

final class LabeledExamplesTest {
  @TempDir Path folder;

  @Test
  void readsCsv() throws IOException {
    Path file = Files.writeString(folder.resolve("a.csv"), "u,class,v\n1,2,3\n4,0,6\n");

    LabeledExamples examples = LabeledExamples.read(file.toString(), "class");

    assertEquals(2, examples.size());
    assertEquals(
        Nd4j.createFromArray(new float[][] {{1, 3}, {4, 6}}), examples.features().get("x"));
    assertEquals(
        Nd4j.createFromArray(new float[][] {{0, 0, 1}, {1, 0, 0}}), examples.oneHotLabels(3));
  }

  @Test
  void readsAPairOfIdxFilesWithPixelsDividedBy255() throws IOException {
    byte[] images = {0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 0, -1, 51, 102};
    byte[] labels = {0, 0, 8, 1, 0, 0, 0, 2, 1, 0};
    Path imageFile = Files.write(folder.resolve("images"), images);
    Path labelFile = Files.write(folder.resolve("labels"), labels);

    LabeledExamples examples = LabeledExamples.read(imageFile + "," + labelFile, "label");

    assertArrayEquals(new long[] {2, 1, 2}, examples.features().get("x").shape());
    assertEquals(1.0f, examples.features().get("x").getFloat(0, 0, 1));
    assertEquals(0.2f, examples.features().get("x").getFloat(1, 0, 0));
    assertEquals(Nd4j.createFromArray(new float[][] {{0, 1}, {1, 0}}), examples.oneHotLabels(2));
  }

  @Test
  void oneHotLabelsPassThrough() {
    INDArray rows = Nd4j.createFromArray(new float[][] {{0, 1}, {1, 0}});

    assertEquals(rows, examples(rows).oneHotLabels(2));
  }

  @Test
  void labelsMustFitTheClassesOfTheNetwork() {
    assertFails(
        "f: label of example 1 must be a class from 0 to 2, found 3.0",
        () -> examples(Nd4j.createFromArray(2f, 3f)).oneHotLabels(3));
    assertFails(
        "f: label of example 0 must be a class from 0 to 2, found -1.0",
        () -> examples(Nd4j.createFromArray(-1f, 0f)).oneHotLabels(3));
    assertFails(
        "f: labels must be class indices or rows of 3 classes, found shape [2, 2]",
        () -> examples(Nd4j.createFromArray(new float[][] {{0, 1}, {1, 0}})).oneHotLabels(3));
    assertFails(
        "f: must have labels (array y), found none",
        () ->
            new LabeledExamples("f", ImmutableMap.of("x", Nd4j.zeros(2, 1)), Optional.empty())
                .oneHotLabels(3));
  }

  @Test
  void everyArrayMustHaveTheSameNumberOfExamples() {
    assertFails(
        "f: array y must have 2 or more examples along axis 0, as many as the others, found shape"
            + " [3]",
        () -> examples(Nd4j.createFromArray(0f, 1f, 2f)));
  }

  @Test
  void namesAFileThatIsMissingOrOfAnUnknownKind() {
    Path missing = folder.resolve("no.csv");
    assertFails(
        missing + ": does not exist", () -> LabeledExamples.read(missing.toString(), "label"));
    assertFails(
        "data.parquet: must be a .npz file, a .csv file or two IDX files separated by a comma",
        () -> LabeledExamples.read("data.parquet", "label"));
  }

  private static LabeledExamples examples(INDArray labels) {
    return new LabeledExamples("f", ImmutableMap.of("x", Nd4j.zeros(2, 1)), Optional.of(labels));
  }

  private static void assertFails(String message, Executable action) {
    assertEquals(message, assertThrows(InvalidDataFileException.class, action).getMessage());
  }
}
