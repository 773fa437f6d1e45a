package org.dl4jquant.onnxruntime;

/** A file is no ONNX model that can be run here, or is damaged; the message names the file. */
public final class InvalidOnnxException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  InvalidOnnxException(String where, String problem) {
    super(where + ": " + problem);
  }

  InvalidOnnxException(String where, String problem, Throwable cause) {
    super(where + ": " + problem, cause);
  }
}
