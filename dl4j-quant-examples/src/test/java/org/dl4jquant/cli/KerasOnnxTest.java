package org.dl4jquant.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import org.deeplearning4j.datasets.iterator.utilty.ListDataSetIterator;
import org.deeplearning4j.nn.api.Model;
import org.dl4jquant.Quantization;
import org.dl4jquant.convert.QuantizedModel;
import org.dl4jquant.dl4j.Dl4jNetwork;
import org.dl4jquant.onnxruntime.OnnxComparison;
import org.dl4jquant.onnxruntime.OnnxNetwork;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;

/** Networks imported from Keras, in ONNX Runtime. */
final class KerasOnnxTest {
  @TempDir Path folder;

  @ParameterizedTest
  @ValueSource(strings = {"keras-sequential", "keras-functional"})
  void theExportComputesTheSame(String name) throws IOException {
    Path model = folder.resolve(name + ".h5");
    try (InputStream in = KerasOnnxTest.class.getResourceAsStream(name + ".h5")) {
      Files.write(model, in.readAllBytes());
    }
    Model network = KerasFile.restore(model);
    Path file = folder.resolve("float.onnx");
    Quantization.of(network).exportFloatOnnx(file);
    INDArray input = Nd4j.rand(DataType.FLOAT, 20, 8, 8, 2).subi(0.5).muli(4);
    INDArray expected = Dl4jNetwork.of(network).output(input.dup()).get(0);
    try (OnnxNetwork onnx = OnnxNetwork.open(file)) {
      INDArray found = onnx.output(input);
      assertArrayEquals(expected.shape(), found.shape());
      assertEquals(0, expected.sub(found).amaxNumber().doubleValue(), 1e-4);
    }
    QuantizedModel integers = Quantization.of(network).weightBits(8).calibrate(input).convert();
    DataSet data = new DataSet(input, Nd4j.zeros(input.size(0), 1));
    OnnxComparison codes = integers.verifyOnnx(new ListDataSetIterator<>(data.asList(), 7));
    assertTrue(codes.elements() > 1000, codes.toJson());
    assertEquals(0, codes.mismatches(), codes.toJson());
  }
}
