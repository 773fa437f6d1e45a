package org.dl4jquant.terminal;

import java.util.ArrayList;
import java.util.List;

/** Lines of cells, laid out in columns that are as wide as their widest cell. Not thread-safe. */
public final class TextTable {
  private static final String GAP = "  ";

  private final List<List<String>> lines = new ArrayList<>();

  /** Starts a table with its header. */
  public TextTable(String... header) {
    lines.add(List.of(header));
  }

  /** Appends a line. */
  public void add(String... cells) {
    if (cells.length != lines.get(0).size()) {
      throw new IllegalArgumentException(
          "cells must be as many as the header has, "
              + lines.get(0).size()
              + ", found "
              + cells.length);
    }
    lines.add(List.of(cells));
  }

  /** Returns the table, with a line break after each line. */
  @Override
  public String toString() {
    int[] widths = new int[lines.get(0).size()];
    for (List<String> line : lines) {
      for (int i = 0; i < widths.length; i++) {
        widths[i] = Math.max(widths[i], line.get(i).length());
      }
    }
    StringBuilder text = new StringBuilder();
    for (List<String> line : lines) {
      StringBuilder row = new StringBuilder();
      for (int i = 0; i < widths.length; i++) {
        row.append(line.get(i)).append(" ".repeat(widths[i] - line.get(i).length())).append(GAP);
      }
      text.append(row.toString().stripTrailing()).append('\n');
    }
    return text.toString();
  }
}
