package org.dl4jquant.onnx;

import org.dl4jquant.internal.Checks;

/** The versions of the operator set that are written, and the oldest file format that has them. */
final class Opset {
  static final int OLDEST = 13;
  static final int NEWEST = 22;

  /** What runtimes since the middle of 2022 read (ONNX Runtime 1.12, OpenVINO 2022.2). */
  static final int DEFAULT = 17;

  /** The first with dilated average pooling (ONNX Runtime 1.16). */
  static final int DILATED_AVERAGE_POOL = 19;

  /** The first with codes of 16 bits (ONNX Runtime 1.18) and of 4 bits (1.19). */
  static final int SIXTEEN_BITS = 21;

  private static final int IR_7_UNTIL = 14;
  private static final int IR_8_UNTIL = 18;
  private static final int IR_9_UNTIL = 20;

  private Opset() {}

  /** Returns the IR version that ONNX released together with this operator set. */
  static int irVersion(int opset) {
    Checks.inRange("opset", opset, OLDEST, NEWEST);
    if (opset <= IR_7_UNTIL) {
      return 7;
    }
    if (opset <= IR_8_UNTIL) {
      return 8;
    }
    return opset <= IR_9_UNTIL ? 9 : 10;
  }
}
