package org.dl4jquant.execute;

import com.google.common.primitives.ImmutableIntArray;

/**
 * Moves the codes of a logarithmic value to those of its levels, in place.
 *
 * @param table of the code that each code becomes, from 0 on
 */
record LevelStep(String node, ImmutableIntArray table) implements Step {
  @Override
  public void run(Frame frame) {
    CodeArrays codes = frame.codes(node);
    for (int a = 0; a < codes.count(); a++) {
      int[] array = codes.array(a);
      for (int i = 0; i < codes.length(); i++) {
        array[i] = table.get(array[i]);
      }
    }
  }
}
