package org.dl4jquant.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.deeplearning4j.nn.api.Model;
import org.dl4jquant.Quantization;
import org.dl4jquant.convert.QuantizedModel;
import org.dl4jquant.onnx.OnnxModel;
import org.dl4jquant.onnx.OnnxOptions;

/** Networks as ONNX. */
final class OnnxModels {
  private OnnxModels() {}

  /** Returns the network of a file, float or as its codes say. */
  static OnnxModel of(ModelFile file) {
    return file.quantized().map(OnnxModels::quantized).orElseGet(() -> floats(file.network()));
  }

  /** Returns a model as its codes say; with weights alone quantized, it computes in float. */
  static OnnxModel quantized(QuantizedModel model) {
    return model.toOnnx();
  }

  /** Returns a network with its parameters as floats. */
  static OnnxModel floats(Model model) {
    return Quantization.of(model).toFloatOnnx(OnnxOptions.defaults());
  }

  /**
   * Returns the content of a file.
   *
   * @throws CommandFailedException if it is empty or cannot be read
   */
  static byte[] read(Path file) {
    try {
      byte[] bytes = Files.readAllBytes(file);
      if (bytes.length == 0) {
        throw new CommandFailedException(file + ": is empty, so not an ONNX model");
      }
      return bytes;
    } catch (IOException | OutOfMemoryError e) {
      throw new CommandFailedException(file + ": cannot be read: " + Messages.of(e), e);
    }
  }
}
