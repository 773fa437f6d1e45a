package org.dl4jquant.onnxruntime;

import ai.onnxruntime.NodeInfo;
import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxValue;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.TensorInfo;
import com.google.common.collect.ImmutableMap;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.nio.ShortBuffer;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.dl4jquant.internal.Checks;
import org.dl4jquant.tensor.Tensor;

/** One model in ONNX Runtime; the only class that calls it. */
final class Session implements AutoCloseable {
  /** The declared sizes of a value, the batch first; -1 for those that only data tells. */
  record Value(String name, List<Long> sizes) {}

  /** Threads wait actively within a call, not behind it, where they take time from all others. */
  private static final String STOP_SPINNING = "session.force_spinning_stop";

  private final OrtEnvironment environment;
  private final OrtSession session;
  private final String where;
  private final ImmutableMap<String, Value> inputs;
  private final ImmutableMap<String, Value> outputs;

  private Session(OrtEnvironment environment, OrtSession session, String where)
      throws OrtException {
    this.environment = environment;
    this.session = session;
    this.where = where;
    this.inputs = values(session.getInputInfo(), true);
    this.outputs = values(session.getOutputInfo(), false);
  }

  /** What makes an ONNX Runtime session. */
  interface Opener {
    OrtSession open(OrtEnvironment environment, OrtSession.SessionOptions options)
        throws OrtException;
  }

  static Session open(String where, OnnxRuntimeOptions options, Opener opener) {
    try {
      OrtEnvironment environment = OrtEnvironment.getEnvironment();
      try (OrtSession.SessionOptions settings = new OrtSession.SessionOptions()) {
        settings.setOptimizationLevel(level(options.optimization()));
        settings.addConfigEntry(STOP_SPINNING, "1");
        if (options.threads() > 0) {
          settings.setIntraOpNumThreads(options.threads());
        }
        OrtSession opened = opener.open(environment, settings);
        try {
          return new Session(environment, opened, where);
        } catch (OrtException | RuntimeException e) {
          opened.close();
          throw e;
        }
      }
    } catch (OrtException e) {
      throw new InvalidOnnxException(where, "ONNX Runtime refuses it: " + e.getMessage(), e);
    }
  }

  private static OrtSession.SessionOptions.OptLevel level(
      OnnxRuntimeOptions.Optimization optimization) {
    return switch (optimization) {
      case NONE -> OrtSession.SessionOptions.OptLevel.NO_OPT;
      case BASIC -> OrtSession.SessionOptions.OptLevel.BASIC_OPT;
      case EXTENDED -> OrtSession.SessionOptions.OptLevel.EXTENDED_OPT;
      case ALL -> OrtSession.SessionOptions.OptLevel.ALL_OPT;
    };
  }

  private ImmutableMap<String, Value> values(Map<String, NodeInfo> infos, boolean floats) {
    ImmutableMap.Builder<String, Value> values = ImmutableMap.builder();
    infos.forEach(
        (name, info) -> {
          if (!(info.getInfo() instanceof TensorInfo tensor)
              || (floats && tensor.type != OnnxJavaType.FLOAT)) {
            throw new InvalidOnnxException(
                where, "'" + name + "' must be a FLOAT tensor, found " + info.getInfo());
          }
          List<Long> sizes = Arrays.stream(tensor.getShape()).boxed().toList();
          values.put(name, new Value(name, sizes));
        });
    return values.buildOrThrow();
  }

  ImmutableMap<String, Value> inputs() {
    return inputs;
  }

  ImmutableMap<String, Value> outputs() {
    return outputs;
  }

  /** What is read from an output while it is still in native memory. */
  interface Reader<T> {
    T read(String output, OnnxTensor tensor);
  }

  <T> Map<String, T> run(Map<String, Tensor> given, Set<String> wanted, Reader<T> reader) {
    Map<String, OnnxTensor> tensors = new LinkedHashMap<>();
    try {
      for (Map.Entry<String, Tensor> input : given.entrySet()) {
        tensors.put(input.getKey(), tensor(input.getValue()));
      }
      Map<String, T> read = new LinkedHashMap<>();
      try (OrtSession.Result result = session.run(tensors, wanted)) {
        for (Map.Entry<String, OnnxValue> output : result) {
          read.put(output.getKey(), reader.read(output.getKey(), (OnnxTensor) output.getValue()));
        }
      }
      return read;
    } catch (OrtException e) {
      throw new IllegalStateException(where + ": ONNX Runtime failed: " + e.getMessage(), e);
    } finally {
      tensors.values().forEach(OnnxTensor::close);
    }
  }

  private OnnxTensor tensor(Tensor tensor) throws OrtException {
    long[] shape = Arrays.stream(tensor.shape()).asLongStream().toArray();
    return OnnxTensor.createTensor(environment, FloatBuffer.wrap(tensor.values()), shape);
  }

  static Tensor floats(OnnxTensor tensor) {
    FloatBuffer buffer = tensor.getFloatBuffer();
    float[] values = new float[buffer.remaining()];
    buffer.get(values);
    int[] shape = Arrays.stream(tensor.getInfo().getShape()).mapToInt(Math::toIntExact).toArray();
    return Tensor.of(values, shape);
  }

  static int[] codes(OnnxTensor tensor, int offset) {
    ByteBuffer bytes = tensor.getByteBuffer();
    String type = tensor.getInfo().onnxType.name();
    if (type.endsWith("INT8")) {
      int[] codes = new int[bytes.remaining()];
      int mask = type.endsWith("_UINT8") ? 0xff : -1;
      for (int i = 0; i < codes.length; i++) {
        codes[i] = (bytes.get(i) & mask) - offset;
      }
      return codes;
    }
    if (type.endsWith("_FLOAT")) {
      float[] values = floats(tensor).values();
      int[] codes = new int[values.length];
      for (int i = 0; i < codes.length; i++) {
        codes[i] = Math.round(values[i]);
      }
      return codes;
    }
    Checks.state(type.endsWith("INT16"), "codes of type %s", type);
    ShortBuffer shorts = bytes.asShortBuffer();
    int[] codes = new int[shorts.remaining()];
    int mask = type.endsWith("_UINT16") ? 0xffff : -1;
    for (int i = 0; i < codes.length; i++) {
      codes[i] = (shorts.get(i) & mask) - offset;
    }
    return codes;
  }

  @Override
  public void close() {
    try {
      session.close();
    } catch (OrtException e) {
      throw new IllegalStateException(where + ": cannot be closed: " + e.getMessage(), e);
    }
  }
}
