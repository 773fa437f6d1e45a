package org.dl4jquant.tensor;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * The byte layout of integer codes, in memory and in files.
 *
 * <p>Codes of up to {@value #MAX_STREAM_WIDTH} bits form a little-endian bit stream without gaps:
 * code {@code i} of width {@code w} takes the bits {@code i * w} to {@code i * w + w - 1}, where
 * bit {@code k} of the stream is bit {@code k % 8} (0 is the least significant) of byte {@code k /
 * 8}. A code's least significant bit comes first; signed codes are two's complement in {@code w}
 * bits. Bits after the last code are zero. At 8 bits this is a byte array, at 16 bits little-endian
 * shorts. Wider codes take 32 bits each, as little-endian two's complement.
 */
final class PackedCodes {
  /** The widest code that is packed without gaps. */
  static final int MAX_STREAM_WIDTH = 16;

  private static final VarHandle SHORTS =
      MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.LITTLE_ENDIAN);
  private static final VarHandle INTS =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);

  private PackedCodes() {}

  /** Returns the bits that one code of this width takes. */
  static int storedWidth(int bitWidth) {
    return bitWidth <= MAX_STREAM_WIDTH ? bitWidth : Integer.SIZE;
  }

  /** Returns the bytes that {@code count} codes take; more than an array holds is possible. */
  static long bytes(int count, int bitWidth) {
    return ((long) count * storedWidth(bitWidth) + 7) / 8;
  }

  /** Packs codes that fit the width; higher bits are ignored. */
  static byte[] pack(int[] codes, int bitWidth) {
    byte[] packed = new byte[Math.toIntExact(bytes(codes.length, bitWidth))];
    switch (storedWidth(bitWidth)) {
      case 8 -> {
        for (int i = 0; i < codes.length; i++) {
          packed[i] = (byte) codes[i];
        }
      }
      case 16 -> {
        for (int i = 0; i < codes.length; i++) {
          SHORTS.set(packed, 2 * i, (short) codes[i]);
        }
      }
      case 32 -> {
        for (int i = 0; i < codes.length; i++) {
          INTS.set(packed, 4 * i, codes[i]);
        }
      }
      default -> packStream(codes, bitWidth, packed);
    }
    return packed;
  }

  private static void packStream(int[] codes, int bitWidth, byte[] packed) {
    long mask = (1L << bitWidth) - 1;
    long pending = 0;
    int pendingBits = 0;
    int end = 0;
    for (int code : codes) {
      pending |= (code & mask) << pendingBits;
      pendingBits += bitWidth;
      if (pendingBits >= 32) {
        INTS.set(packed, end, (int) pending);
        end += 4;
        pending >>>= 32;
        pendingBits -= 32;
      }
    }
    while (end < packed.length) {
      packed[end++] = (byte) pending;
      pending >>>= 8;
    }
  }

  /** Unpacks as many codes as {@code codes} holds. */
  static void unpack(byte[] packed, int bitWidth, boolean signed, int[] codes) {
    switch (storedWidth(bitWidth)) {
      case 8 -> {
        int mask = signed ? -1 : 0xff;
        for (int i = 0; i < codes.length; i++) {
          codes[i] = packed[i] & mask;
        }
      }
      case 16 -> {
        int mask = signed ? -1 : 0xffff;
        for (int i = 0; i < codes.length; i++) {
          codes[i] = (short) SHORTS.get(packed, 2 * i) & mask;
        }
      }
      case 32 -> {
        for (int i = 0; i < codes.length; i++) {
          codes[i] = (int) INTS.get(packed, 4 * i);
        }
      }
      default -> unpackStream(packed, bitWidth, signed, codes);
    }
  }

  private static void unpackStream(byte[] packed, int bitWidth, boolean signed, int[] codes) {
    long pending = 0;
    int pendingBits = 0;
    int next = 0;
    for (int i = 0; i < codes.length; i++) {
      if (pendingBits < bitWidth) {
        if (next + 4 <= packed.length) {
          pending |= ((int) INTS.get(packed, next) & 0xffff_ffffL) << pendingBits;
          next += 4;
          pendingBits += 32;
        } else {
          for (; pendingBits < bitWidth; pendingBits += 8) {
            pending |= (packed[next++] & 0xffL) << pendingBits;
          }
        }
      }
      codes[i] = extend((int) pending, bitWidth, signed);
      pending >>>= bitWidth;
      pendingBits -= bitWidth;
    }
  }

  /** Returns one code. */
  static int get(byte[] packed, int bitWidth, boolean signed, int index) {
    int width = storedWidth(bitWidth);
    long bit = (long) index * width;
    int first = (int) (bit >> 3);
    int end = (int) ((bit + width + 7) >> 3);
    long bytes = 0;
    for (int i = first; i < end; i++) {
      bytes |= (packed[i] & 0xffL) << (8 * (i - first));
    }
    return extend((int) (bytes >>> (bit & 7)), width, signed);
  }

  /** Returns true if the bits after the last of {@code count} codes are zero. */
  static boolean paddingIsZero(byte[] packed, int bitWidth, int count) {
    int used = (int) ((long) count * storedWidth(bitWidth) & 7);
    return used == 0 || (packed[packed.length - 1] & 0xff) >>> used == 0;
  }

  private static int extend(int bits, int width, boolean signed) {
    int unused = Integer.SIZE - width;
    return signed ? bits << unused >> unused : bits << unused >>> unused;
  }
}
