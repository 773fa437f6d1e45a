package org.dl4jquant.onnx;

/** A network has something that ONNX, or the chosen opset, cannot say; the message names it. */
public final class UnsupportedOnnxException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  UnsupportedOnnxException(String kind, String node, String problem) {
    super("%s '%s' cannot be written as ONNX: %s".formatted(kind, node, problem));
  }
}
