package org.dl4jquant.onnx;

import onnx.Onnx.TensorProto.DataType;
import org.dl4jquant.graph.ActivationFormat;

/**
 * The ONNX type that holds the codes of a value.
 *
 * @param offset what is added to a code to store it
 */
record CodeContainer(DataType type, int offset) {
  private static final int UNSIGNED_OFFSET = 128;
  private static final int FLOAT_BITS = 24;

  /** Returns the container that an opset has; FLOAT for wide codes where it has no 16-bit ones. */
  static CodeContainer of(ActivationFormat format, SignedCodes signed, int opset) {
    boolean negative = format.formats().get(0).signed();
    if (format.bitWidth() > Byte.SIZE) {
      if (opset < Opset.SIXTEEN_BITS) {
        return new CodeContainer(DataType.FLOAT, 0);
      }
      return new CodeContainer(negative ? DataType.INT16 : DataType.UINT16, 0);
    }
    if (!negative) {
      return new CodeContainer(DataType.UINT8, 0);
    }
    return signed == SignedCodes.UINT8
        ? new CodeContainer(DataType.UINT8, UNSIGNED_OFFSET)
        : new CodeContainer(DataType.INT8, 0);
  }

  /** Returns true if a code takes more than 8 bits. */
  boolean wide() {
    return type == DataType.INT16 || type == DataType.UINT16 || floats();
  }

  /** Returns true if codes are whole numbers in floats. */
  boolean floats() {
    return type == DataType.FLOAT;
  }

  private boolean negative() {
    return type == DataType.INT8 || type == DataType.INT16;
  }

  /** Returns the smallest stored number. */
  int lowest() {
    if (floats()) {
      return -(1 << FLOAT_BITS);
    }
    if (!negative()) {
      return 0;
    }
    return wide() ? Short.MIN_VALUE : Byte.MIN_VALUE;
  }

  /** Returns the largest stored number. */
  int highest() {
    if (floats()) {
      return 1 << FLOAT_BITS;
    }
    return lowest() + (wide() ? (1 << Short.SIZE) : (1 << Byte.SIZE)) - 1;
  }
}
