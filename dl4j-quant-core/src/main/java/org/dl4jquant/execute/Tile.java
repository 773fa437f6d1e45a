package org.dl4jquant.execute;

import com.google.common.collect.ImmutableList;

/**
 * Output positions that are computed together: whole rows, or a piece of one row.
 *
 * @param fromX 0 unless it is a piece of one row
 * @param toX the width unless it is a piece of one row
 */
record Tile(int fromY, int toY, int fromX, int toX, int width) {
  /** Returns the tiles of an output, each of about {@code positions} positions. */
  static ImmutableList<Tile> of(int height, int width, int positions) {
    ImmutableList.Builder<Tile> tiles = ImmutableList.builder();
    if (width >= 2 * positions) {
      for (int y = 0; y < height; y++) {
        for (int x = 0; x < width; x += positions) {
          tiles.add(new Tile(y, y + 1, x, Math.min(width, x + positions), width));
        }
      }
      return tiles.build();
    }
    int rows = Math.max(1, (positions + width / 2) / width);
    for (int y = 0; y < height; y += rows) {
      tiles.add(new Tile(y, Math.min(height, y + rows), 0, width, width));
    }
    return tiles.build();
  }

  int firstPosition() {
    return fromY * width + fromX;
  }

  int endPosition() {
    return (toY - 1) * width + toX;
  }
}
