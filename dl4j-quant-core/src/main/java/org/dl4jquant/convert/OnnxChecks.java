package org.dl4jquant.convert;

import java.nio.file.Path;
import org.dl4jquant.execute.IntegerNetwork;
import org.dl4jquant.onnx.OnnxModel;
import org.dl4jquant.onnx.OnnxOptions;
import org.dl4jquant.onnxruntime.OnnxComparison;
import org.dl4jquant.onnxruntime.OnnxNetwork;
import org.dl4jquant.onnxruntime.OnnxRuntimeOptions;
import org.dl4jquant.onnxruntime.OnnxVerifier;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;
import org.nd4j.linalg.dataset.api.iterator.MultiDataSetIterator;

/** Opens verifications and sends data through them. */
final class OnnxChecks {
  private OnnxChecks() {}

  static OnnxVerification verification(QuantizedModel model) {
    OnnxModel onnx = model.toOnnx(OnnxOptions.defaults());
    if (model.activations().isEmpty()) {
      OnnxNetwork network = OnnxNetwork.of(onnx, OnnxRuntimeOptions.DEFAULTS);
      return new OnnxVerification.OfOutputs(network, model.plainNetwork());
    }
    IntegerNetwork integers = model.toIntegerNetwork();
    OnnxVerifier verifier = OnnxVerifier.of(onnx, integers, OnnxRuntimeOptions.DEFAULTS);
    return new OnnxVerification.OfCodes(verifier, integers.graph().graph());
  }

  static OnnxVerification verification(QuantizedModel model, Path file) {
    if (model.activations().isEmpty()) {
      return new OnnxVerification.OfOutputs(OnnxNetwork.open(file), model.plainNetwork());
    }
    IntegerNetwork integers = model.toIntegerNetwork();
    OnnxVerifier verifier = OnnxVerifier.open(file, integers, OnnxRuntimeOptions.DEFAULTS);
    return new OnnxVerification.OfCodes(verifier, integers.graph().graph());
  }

  /** Sends the features of all batches through, from the beginning if the data can be reset. */
  static OnnxComparison all(OnnxVerification verification, DataSetIterator data) {
    try (verification) {
      if (data.resetSupported()) {
        data.reset();
      }
      while (data.hasNext()) {
        verification.accept(data.next().getFeatures());
      }
      return verification.snapshot();
    }
  }

  static OnnxComparison all(OnnxVerification verification, MultiDataSetIterator data) {
    try (verification) {
      if (data.resetSupported()) {
        data.reset();
      }
      while (data.hasNext()) {
        verification.accept(data.next().getFeatures());
      }
      return verification.snapshot();
    }
  }
}
