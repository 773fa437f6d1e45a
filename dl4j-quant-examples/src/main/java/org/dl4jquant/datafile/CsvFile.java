package org.dl4jquant.datafile;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.Reader;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVParser;
import org.apache.commons.csv.CSVRecord;

/**
 * Labeled rows of numbers under a header line: one column holds the class, the others the features,
 * in the order of the header.
 *
 * @param features one array per row
 * @param labels the class of each row, not negative
 */
public record CsvFile(List<float[]> features, List<Integer> labels) {
  /**
   * Reads a whole file and leaves the reader open.
   *
   * @param name what error messages call the file
   * @param labelColumn the header of the column with the class
   * @throws InvalidDataFileException if there is no such column, no row, a ragged row, or a value
   *     that is not a finite number (label: not a class index)
   * @throws UncheckedIOException if reading fails
   */
  public static CsvFile read(Reader reader, String name, String labelColumn) {
    CSVFormat format =
        CSVFormat.DEFAULT.builder().setHeader().setSkipHeaderRecord(true).setTrim(true).build();
    try (CSVParser rows = CSVParser.parse(new KeepOpen(reader), format)) {
      int labelIndex = rows.getHeaderNames().indexOf(labelColumn);
      if (labelIndex < 0) {
        throw new InvalidDataFileException(
            name,
            "label column must be one of " + rows.getHeaderNames() + ", found " + labelColumn);
      }
      List<float[]> features = new ArrayList<>();
      List<Integer> labels = new ArrayList<>();
      for (CSVRecord row : rows) {
        if (row.size() != rows.getHeaderNames().size()) {
          throw bad(
              name, row, "must have " + rows.getHeaderNames().size() + " columns", row.size());
        }
        features.add(features(name, row, labelIndex));
        labels.add(label(name, row, labelIndex));
      }
      if (features.isEmpty()) {
        throw new InvalidDataFileException(name, "has no rows");
      }
      return new CsvFile(features, labels);
    } catch (IOException | UncheckedIOException | IllegalArgumentException e) {
      throw new InvalidDataFileException(name, "is not a readable CSV file", e);
    }
  }

  private static float[] features(String name, CSVRecord row, int labelIndex) {
    float[] values = new float[row.size() - 1];
    for (int column = 0, i = 0; column < row.size(); column++) {
      if (column != labelIndex) {
        values[i++] = (float) number(name, row, column);
      }
    }
    return values;
  }

  private static int label(String name, CSVRecord row, int labelIndex) {
    double label = number(name, row, labelIndex);
    if (label < 0 || label != Math.rint(label) || label > Integer.MAX_VALUE) {
      throw bad(name, row, "must have a class index as label", row.get(labelIndex));
    }
    return (int) label;
  }

  private static double number(String name, CSVRecord row, int column) {
    double value;
    try {
      value = Double.parseDouble(row.get(column));
    } catch (NumberFormatException e) {
      value = Double.NaN;
    }
    if (!Double.isFinite(value)) {
      throw bad(name, row, "must hold finite numbers", "'" + row.get(column) + "'");
    }
    return value;
  }

  private static InvalidDataFileException bad(
      String name, CSVRecord row, String rule, Object found) {
    return new InvalidDataFileException(
        name, "row " + row.getRecordNumber() + " " + rule + ", found " + found);
  }

  /** Shields the caller's reader from the parser, which closes what it reads. */
  private static final class KeepOpen extends BufferedReader {
    KeepOpen(Reader reader) {
      super(reader);
    }

    @Override
    public void close() {
      // the caller's
    }
  }
}
