package org.dl4jquant.precision;

import org.dl4jquant.format.Log2;
import org.dl4jquant.internal.Checks;

/** How many bits a number of classes asks for. More classes never ask for fewer. */
@FunctionalInterface
public interface ClassWidth {
  /**
   * Returns the width in bits.
   *
   * @param classes at least 2
   */
  int bits(int classes);

  /**
   * Returns the lower bound {@code 1 + ceil(log2(N - 1))}: softmax and cross entropy give the right
   * class of an undecided network an error {@code N - 1} times that of any other, and one
   * fixed-point scale has to hold both (arXiv 1810.05486, reconstructed). 2 classes ask for 2 bits.
   */
  static ClassWidth log2Bound() {
    return new Log2Bound();
  }

  /**
   * Returns {@code ceil(offset + bitsPerOctave * log2(N))}, at least 2.
   *
   * @param offset in bits, -32 to 32
   * @param bitsPerOctave for each doubling of the classes; more than 0, at most 8
   */
  static ClassWidth proportional(double offset, double bitsPerOctave) {
    return new Proportional(offset, bitsPerOctave);
  }

  /** Returns the width that asks for nothing, whatever the number of classes. */
  static ClassWidth none() {
    return new Unbounded();
  }

  /** No bound. */
  record Unbounded() implements ClassWidth {
    @Override
    public int bits(int classes) {
      return 0;
    }
  }

  /** The bound. */
  record Log2Bound() implements ClassWidth {
    @Override
    public int bits(int classes) {
      return 1 + Integer.SIZE - Integer.numberOfLeadingZeros(Math.max(2, classes - 1) - 1);
    }
  }

  /** Proportional to the octaves. */
  record Proportional(double offset, double bitsPerOctave) implements ClassWidth {
    public Proportional {
      Checks.that(Math.abs(offset) <= 32, "offset", "be between -32 and 32", offset);
      Checks.that(
          bitsPerOctave > 0 && bitsPerOctave <= 8,
          "bitsPerOctave",
          "be above 0 and at most 8",
          bitsPerOctave);
    }

    @Override
    public int bits(int classes) {
      return Math.max(2, (int) Math.ceil(offset + bitsPerOctave * Log2.of(classes)));
    }
  }
}
