package org.dl4jquant.execute;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;

/** Buffers of one thread, kept from call to call. */
final class Workspace {
  private final Map<String, int[][]> arrays = new HashMap<>();

  /**
   * Returns the buffers of this name: at least {@code count}, each at least {@code length} long,
   * their old content undefined.
   */
  int[][] arrays(String name, int count, int length) {
    int[][] buffers = arrays.getOrDefault(name, new int[0][]);
    if (buffers.length < count) {
      int known = buffers.length;
      buffers = Arrays.copyOf(buffers, count);
      Arrays.fill(buffers, known, count, new int[0]);
      arrays.put(name, buffers);
    }
    for (int i = 0; i < count; i++) {
      if (buffers[i].length < length) {
        buffers[i] = new int[length];
      }
    }
    return buffers;
  }

  /** Returns the buffer of this name; see {@link #arrays}. */
  int[] array(String name, int length) {
    return arrays(name, 1, length)[0];
  }
}
