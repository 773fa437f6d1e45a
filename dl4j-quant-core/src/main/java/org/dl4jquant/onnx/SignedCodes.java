package org.dl4jquant.onnx;

/** How signed activation codes of up to 8 bits are stored in an ONNX file. */
public enum SignedCodes {
  /** As INT8 with zero point 0. */
  INT8,
  /**
   * As UINT8 with zero point 128: the same values and the same rounding, stored with 128 added.
   * ONNX Runtime has its fastest kernels for UINT8 activations on x86, and joins only values of one
   * type.
   */
  UINT8
}
