package org.dl4jquant.onnx;

import org.jspecify.annotations.Nullable;

/** A network has something that ONNX, or the chosen opset, cannot say; the message names it. */
public final class UnsupportedOnnxException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  UnsupportedOnnxException(String kind, String node, String problem) {
    super(message(kind, node, problem));
  }

  UnsupportedOnnxException(String kind, String node, IllegalArgumentException cause) {
    super(message(kind, node, cause.getMessage()), cause);
  }

  private static String message(String kind, String node, @Nullable String problem) {
    return "%s '%s' cannot be written as ONNX: %s".formatted(kind, node, problem);
  }
}
