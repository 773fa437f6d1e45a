package org.dl4jquant.format;

import org.dl4jquant.internal.Checks;

/** The roundings that depend on nothing but the number. */
enum DirectedRounding implements Rounding {
  HALF_EVEN {
    @Override
    public double round(double value) {
      return Math.rint(value);
    }

    @Override
    long roundUp(long floor, long remainder, long half) {
      return remainder > half || (remainder == half && (floor & 1) != 0) ? 1 : 0;
    }
  },
  HALF_UP {
    @Override
    public double round(double value) {
      double floor = Math.floor(value);
      return value - floor >= 0.5 ? floor + 1 : floor;
    }

    @Override
    long roundUp(long floor, long remainder, long half) {
      return remainder >= half ? 1 : 0;
    }
  },
  TOWARD_ZERO {
    @Override
    public double round(double value) {
      return value < 0 ? Math.ceil(value) : Math.floor(value);
    }

    @Override
    long roundUp(long floor, long remainder, long half) {
      return floor < 0 && remainder != 0 ? 1 : 0;
    }
  },
  FLOOR {
    @Override
    public double round(double value) {
      return Math.floor(value);
    }

    @Override
    long roundUp(long floor, long remainder, long half) {
      return 0;
    }
  };

  /** Returns what to add to {@code floor}; {@code half} is half of one step of the remainder. */
  abstract long roundUp(long floor, long remainder, long half);

  @Override
  public final long shiftRight(long value, int bits) {
    Checks.inRange("bits", bits, -63, 63);
    if (bits <= 0) {
      return shiftLeftExact(value, -bits);
    }
    long floor = value >> bits;
    long remainder = value & ((1L << bits) - 1);
    return floor + roundUp(floor, remainder, 1L << (bits - 1));
  }

  static long shiftLeftExact(long value, int bits) {
    long shifted = value << bits;
    if (shifted >> bits != value) {
      throw new ArithmeticException("overflow: " + value + " shifted left by " + bits);
    }
    return shifted;
  }
}
