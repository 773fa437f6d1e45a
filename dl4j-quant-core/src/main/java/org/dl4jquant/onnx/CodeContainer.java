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

  static CodeContainer of(ActivationFormat format, SignedCodes signed) {
    boolean negative = format.formats().get(0).signed();
    if (format.bitWidth() > Byte.SIZE) {
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
    return type == DataType.INT16 || type == DataType.UINT16;
  }

  private boolean negative() {
    return type == DataType.INT8 || type == DataType.INT16;
  }

  /** Returns the smallest stored number. */
  int lowest() {
    if (!negative()) {
      return 0;
    }
    return wide() ? Short.MIN_VALUE : Byte.MIN_VALUE;
  }

  /** Returns the largest stored number. */
  int highest() {
    return lowest() + (wide() ? (1 << Short.SIZE) : (1 << Byte.SIZE)) - 1;
  }
}
