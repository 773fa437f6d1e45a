package org.dl4jquant.datafile;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.StringReader;
import java.util.List;
import org.junit.jupiter.api.Test;

final class CsvFileTest {
  @Test
  void separatesTheLabelFromTheFeatures() {
    CsvFile file = read("a,label,b\n1,2,3\n-0.5,0,1e3\n");

    assertArrayEquals(new float[] {1, 3}, file.features().get(0));
    assertArrayEquals(new float[] {-0.5f, 1000}, file.features().get(1));
    assertEquals(List.of(2, 0), file.labels());
  }

  @Test
  void namesTheFileTheRowAndTheFault() {
    assertFails("f: label column must be one of [a, b], found label", "a,b\n1,2\n");
    assertFails("f: has no rows", "a,label\n");
    assertFails("f: row 2 must have 2 columns, found 3", "a,label\n1,2\n1,2,3\n");
    assertFails("f: row 1 must hold finite numbers, found 'x'", "a,label\nx,2\n");
    assertFails("f: row 1 must hold finite numbers, found 'NaN'", "a,label\nNaN,2\n");
    assertFails("f: row 1 must have a class index as label, found -1", "a,label\n1,-1\n");
    assertFails("f: row 1 must have a class index as label, found 0.5", "a,label\n1,0.5\n");
    assertFails("f: is not a readable CSV file", "a,label\n\"1,2\n");
  }

  private static CsvFile read(String text) {
    return CsvFile.read(new StringReader(text), "f", "label");
  }

  private static void assertFails(String message, String text) {
    assertEquals(
        message, assertThrows(InvalidDataFileException.class, () -> read(text)).getMessage());
  }
}
