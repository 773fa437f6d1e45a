package org.dl4jquant.onnx;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import onnx.Onnx.GraphProto;
import onnx.Onnx.NodeProto;
import onnx.Onnx.TensorProto;
import onnx.Onnx.TensorProto.DataType;
import onnx.Onnx.TensorShapeProto;
import onnx.Onnx.TypeProto;
import onnx.Onnx.ValueInfoProto;
import org.dl4jquant.graph.Shape;
import org.nd4j.shade.protobuf.ByteString;

/** Collects the nodes and constants of an ONNX graph under unique names. */
final class GraphWriter {
  /** An optional input that is left out. */
  static final String ABSENT = "";

  /** ONNX's number for the type; the enum that ND4J brings is older. */
  private static final int INT4 = 22;

  private final GraphProto.Builder graph = GraphProto.newBuilder();
  private final Set<String> names = new HashSet<>();
  private final int opset;

  GraphWriter(int opset) {
    this.opset = opset;
  }

  int opset() {
    return opset;
  }

  /** Returns {@code wish} itself if it is free, else with a number; it is taken from then on. */
  String unique(String wish) {
    String name = wish;
    for (int i = 2; !names.add(name); i++) {
      name = wish + "/" + i;
    }
    return name;
  }

  /** Adds a node with one output, under a name that {@link #unique} gave. */
  @CanIgnoreReturnValue
  String node(String type, List<String> inputs, String output, Attributes attributes) {
    graph.addNode(
        NodeProto.newBuilder()
            .setOpType(type)
            .setName(output)
            .addAllInput(inputs)
            .addOutput(output)
            .addAllAttribute(attributes.protos()));
    return output;
  }

  /** Adds a node with several outputs; those not wanted are {@link #ABSENT}. */
  void node(
      String type, String name, List<String> inputs, List<String> outputs, Attributes attributes) {
    graph.addNode(
        NodeProto.newBuilder()
            .setOpType(type)
            .setName(name)
            .addAllInput(inputs)
            .addAllOutput(outputs)
            .addAllAttribute(attributes.protos()));
  }

  @CanIgnoreReturnValue
  String node(String type, List<String> inputs, String output) {
    return node(type, inputs, output, Attributes.NONE);
  }

  /**
   * Gives {@code value} the name {@code result} by an operation that does nothing and that ONNX
   * Runtime does not remove, so that it joins nothing across it.
   */
  @CanIgnoreReturnValue
  String shield(String value, String result) {
    return node("Max", List.of(value), result);
  }

  String floats(String wish, float[] values, long... shape) {
    ByteBuffer bytes = bytes(values.length, Float.BYTES);
    for (float value : values) {
      bytes.putFloat(value);
    }
    return constant(wish, DataType.FLOAT, bytes, shape);
  }

  String scalar(String wish, float value) {
    return floats(wish, new float[] {value});
  }

  String longs(String wish, long... values) {
    ByteBuffer bytes = bytes(values.length, Long.BYTES);
    for (long value : values) {
      bytes.putLong(value);
    }
    return constant(wish, DataType.INT64, bytes, values.length);
  }

  /** Adds integers of 8, 16 or 32 bits; what does not fit is a defect of the caller. */
  String codes(String wish, DataType type, int[] values, long... shape) {
    int size = bytesOf(type);
    ByteBuffer bytes = bytes(values.length, size);
    for (int value : values) {
      switch (size) {
        case Byte.BYTES -> bytes.put((byte) value);
        case Short.BYTES -> bytes.putShort((short) value);
        default -> bytes.putInt(value);
      }
    }
    return constant(wish, type, bytes, shape);
  }

  /** Adds signed integers of 4 bits, two in a byte, the first in its lower half; INT4 in ONNX. */
  String nibbles(String wish, int[] values, long... shape) {
    byte[] packed = new byte[(values.length + 1) / 2];
    for (int i = 0; i < values.length; i++) {
      packed[i / 2] |= (byte) ((values[i] & 0xf) << (i % 2 * 4));
    }
    return constant(wish, INT4, ByteBuffer.wrap(packed), shape);
  }

  private static int bytesOf(DataType type) {
    return switch (type) {
      case INT8, UINT8 -> Byte.BYTES;
      case INT16, UINT16 -> Short.BYTES;
      case INT32 -> Integer.BYTES;
      default -> throw new IllegalArgumentException("no codes of type " + type);
    };
  }

  private static ByteBuffer bytes(int values, int size) {
    return ByteBuffer.allocate(Math.multiplyExact(values, size)).order(ByteOrder.LITTLE_ENDIAN);
  }

  private String constant(String wish, DataType type, ByteBuffer bytes, long... shape) {
    return constant(wish, type.getNumber(), bytes.flip(), shape);
  }

  private String constant(String wish, int type, ByteBuffer bytes, long... shape) {
    String name = unique(wish);
    TensorProto.Builder tensor =
        TensorProto.newBuilder()
            .setName(name)
            .setDataType(type)
            .setRawData(ByteString.copyFrom(bytes));
    for (long size : shape) {
      tensor.addDims(size);
    }
    graph.addInitializer(tensor);
    return name;
  }

  void input(String name, Shape shape) {
    graph.addInput(value(name, DataType.FLOAT, shape));
  }

  void output(String name, DataType type, Shape shape) {
    graph.addOutput(value(name, type, shape));
  }

  private static ValueInfoProto value(String name, DataType type, Shape shape) {
    TensorShapeProto.Builder sizes = TensorShapeProto.newBuilder();
    sizes.addDim(TensorShapeProto.Dimension.newBuilder().setDimParam("batch"));
    for (int axis = 0; axis < shape.rank(); axis++) {
      TensorShapeProto.Dimension.Builder size = TensorShapeProto.Dimension.newBuilder();
      if (shape.size(axis) == Shape.UNKNOWN) {
        size.setDimParam(name + "/size" + (axis + 1));
      } else {
        size.setDimValue(shape.size(axis));
      }
      sizes.addDim(size);
    }
    TypeProto.Tensor tensor =
        TypeProto.Tensor.newBuilder().setElemType(type.getNumber()).setShape(sizes).build();
    return ValueInfoProto.newBuilder()
        .setName(name)
        .setType(TypeProto.newBuilder().setTensorType(tensor))
        .build();
  }

  GraphProto build(String name) {
    return graph.setName(name).build();
  }
}
