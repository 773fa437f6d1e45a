package org.dl4jquant.onnx;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxValue;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.nio.ShortBuffer;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.dl4jquant.tensor.Tensor;

/** Runs ONNX bytes in ONNX Runtime, at one optimization level. */
final class OrtRunner implements AutoCloseable {
  private final OrtEnvironment environment = OrtEnvironment.getEnvironment();
  private final OrtSession session;

  OrtRunner(byte[] model, OrtSession.SessionOptions.OptLevel level) throws OrtException {
    OrtSession.SessionOptions options = new OrtSession.SessionOptions();
    options.setOptimizationLevel(level);
    options.setIntraOpNumThreads(1);
    session = environment.createSession(model, options);
  }

  Set<String> outputs() {
    return session.getOutputNames();
  }

  Map<String, Tensor> run(Map<String, Tensor> inputs) throws OrtException {
    Map<String, Tensor> floats = new LinkedHashMap<>();
    try (Values values = values(inputs)) {
      for (Map.Entry<String, OnnxValue> output : values.result()) {
        OnnxTensor tensor = (OnnxTensor) output.getValue();
        int[] shape =
            Arrays.stream(tensor.getInfo().getShape()).mapToInt(Math::toIntExact).toArray();
        FloatBuffer buffer = tensor.getFloatBuffer();
        float[] found = new float[buffer.remaining()];
        buffer.get(found);
        floats.put(output.getKey(), Tensor.of(found, shape));
      }
    }
    return floats;
  }

  /** The codes of all nodes, by node. */
  Map<String, int[]> codes(Map<String, Tensor> inputs, ExposedCodes exposed) throws OrtException {
    Map<String, int[]> codes = new LinkedHashMap<>();
    try (Values values = values(inputs)) {
      for (Map.Entry<String, ExposedCodes.Stored> node : exposed.stored().entrySet()) {
        OnnxTensor tensor =
            (OnnxTensor) values.result().get(node.getValue().tensor()).orElseThrow();
        codes.put(node.getKey(), codes(tensor, node.getValue().offset()));
      }
    }
    return codes;
  }

  private static int[] codes(OnnxTensor tensor, int offset) {
    int[] codes;
    switch (tensor.getInfo().onnxType) {
      case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT8, ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8 -> {
        ByteBuffer bytes = tensor.getByteBuffer();
        codes = new int[bytes.remaining()];
        boolean signed = tensor.getInfo().onnxType.name().endsWith("_INT8");
        for (int i = 0; i < codes.length; i++) {
          codes[i] = (signed ? bytes.get(i) : bytes.get(i) & 0xff) - offset;
        }
      }
      case ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT -> {
        FloatBuffer floats = tensor.getFloatBuffer();
        codes = new int[floats.remaining()];
        for (int i = 0; i < codes.length; i++) {
          codes[i] = Math.round(floats.get(i));
        }
      }
      default -> {
        ShortBuffer shorts = tensor.getByteBuffer().asShortBuffer();
        codes = new int[shorts.remaining()];
        boolean signed = tensor.getInfo().onnxType.name().endsWith("_INT16");
        for (int i = 0; i < codes.length; i++) {
          codes[i] = signed ? shorts.get(i) : shorts.get(i) & 0xffff;
        }
      }
    }
    return codes;
  }

  private record Values(Map<String, OnnxTensor> given, OrtSession.Result result)
      implements AutoCloseable {
    @Override
    public void close() {
      result.close();
      given.values().forEach(OnnxTensor::close);
    }
  }

  private Values values(Map<String, Tensor> inputs) throws OrtException {
    Map<String, OnnxTensor> given = new LinkedHashMap<>();
    for (Map.Entry<String, Tensor> input : inputs.entrySet()) {
      long[] shape = Arrays.stream(input.getValue().shape()).asLongStream().toArray();
      FloatBuffer values = FloatBuffer.wrap(input.getValue().values());
      given.put(input.getKey(), OnnxTensor.createTensor(environment, values, shape));
    }
    return new Values(given, session.run(given));
  }

  @Override
  public void close() throws OrtException {
    session.close();
  }
}
