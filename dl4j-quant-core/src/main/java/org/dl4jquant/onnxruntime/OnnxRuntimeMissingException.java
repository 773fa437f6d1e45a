package org.dl4jquant.onnxruntime;

/** ONNX Runtime is not on the class path, or its native library does not load on this platform. */
public final class OnnxRuntimeMissingException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  OnnxRuntimeMissingException(Throwable cause) {
    super(
        "ONNX Runtime cannot be used: add the dependency"
            + " com.microsoft.onnxruntime:onnxruntime (1.23.2 is tested) ("
            + cause
            + ")",
        cause);
  }
}
