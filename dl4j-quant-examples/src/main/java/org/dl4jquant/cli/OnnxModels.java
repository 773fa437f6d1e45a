package org.dl4jquant.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.deeplearning4j.nn.api.Model;
import org.dl4jquant.convert.QuantizedModel;
import org.dl4jquant.dl4j.Dl4jNetwork;
import org.dl4jquant.dl4j.GraphReader;
import org.dl4jquant.onnx.OnnxExport;
import org.dl4jquant.onnx.OnnxModel;
import org.dl4jquant.onnx.OnnxOptions;

/** Networks as ONNX. */
final class OnnxModels {
  private OnnxModels() {}

  /** Returns the network of a file, float or as its codes say. */
  static OnnxModel of(ModelFile file) {
    return file.quantized().filter(model -> !model.activations().isEmpty()).isPresent()
        ? quantized(file.integers())
        : floats(file.network());
  }

  /** Returns the integers of a model, as pairs of QuantizeLinear and DequantizeLinear. */
  static OnnxModel quantized(QuantizedModel model) {
    return OnnxExport.ofQuantized(model.toQuantizedGraph(), OnnxOptions.defaults());
  }

  /** Returns a network with its parameters as floats. */
  static OnnxModel floats(Model model) {
    return OnnxExport.ofFloat(
        GraphReader.read(Dl4jNetwork.of(model)).graph(), OnnxOptions.defaults());
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
