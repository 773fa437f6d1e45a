package org.dl4jquant.update;

/**
 * The code and the residual of a weight in one {@code long}, as archives keep them: the code in the
 * upper {@code bits} bits, the residual, signed, in the others.
 */
final class StateWord {
  private StateWord() {}

  static long of(long code, long residual, int bits) {
    return (code << (Long.SIZE - bits)) | (residual & (-1L >>> bits));
  }

  static long code(long word, int bits) {
    return word >> (Long.SIZE - bits);
  }

  static long residual(long word, int bits) {
    return word << bits >> bits;
  }
}
