package org.dl4jquant.execute;

import java.util.HashMap;
import java.util.Map;

/** Buffers of one thread, kept from call to call. */
final class Workspace {
  private final Map<String, int[]> ints = new HashMap<>();
  private long[] longs = new long[0];

  /** Returns the buffer of this name, at least {@code length} long, its old content undefined. */
  int[] ints(String name, int length) {
    int[] buffer = ints.get(name);
    if (buffer == null || buffer.length < length) {
      buffer = new int[length];
      ints.put(name, buffer);
    }
    return buffer;
  }

  /** Returns a buffer for 64-bit sums. */
  long[] longs(int length) {
    if (longs.length < length) {
      longs = new long[length];
    }
    return longs;
  }
}
