package org.dl4jquant.onnx;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import java.util.ArrayList;
import java.util.List;
import onnx.Onnx.AttributeProto;

/** The attributes of one ONNX node, in the order in which they are added. */
final class Attributes {
  static final Attributes NONE = new Attributes();

  private final List<AttributeProto> protos = new ArrayList<>();

  @CanIgnoreReturnValue
  Attributes integer(String name, long value) {
    protos.add(named(name, AttributeProto.AttributeType.INT).setI(value).build());
    return this;
  }

  @CanIgnoreReturnValue
  Attributes integers(String name, long... values) {
    AttributeProto.Builder proto = named(name, AttributeProto.AttributeType.INTS);
    for (long value : values) {
      proto.addInts(value);
    }
    protos.add(proto.build());
    return this;
  }

  @CanIgnoreReturnValue
  Attributes number(String name, double value) {
    protos.add(named(name, AttributeProto.AttributeType.FLOAT).setF((float) value).build());
    return this;
  }

  @CanIgnoreReturnValue
  Attributes text(String name, String value) {
    protos.add(
        named(name, AttributeProto.AttributeType.STRING)
            .setS(org.nd4j.shade.protobuf.ByteString.copyFromUtf8(value))
            .build());
    return this;
  }

  @CanIgnoreReturnValue
  Attributes numbers(String name, float... values) {
    AttributeProto.Builder proto = named(name, AttributeProto.AttributeType.FLOATS);
    for (float value : values) {
      proto.addFloats(value);
    }
    protos.add(proto.build());
    return this;
  }

  @CanIgnoreReturnValue
  Attributes texts(String name, String... values) {
    AttributeProto.Builder proto = named(name, AttributeProto.AttributeType.STRINGS);
    for (String value : values) {
      proto.addStrings(org.nd4j.shade.protobuf.ByteString.copyFromUtf8(value));
    }
    protos.add(proto.build());
    return this;
  }

  private static AttributeProto.Builder named(String name, AttributeProto.AttributeType type) {
    return AttributeProto.newBuilder().setName(name).setType(type);
  }

  void addAll(Attributes others) {
    protos.addAll(others.protos);
  }

  List<AttributeProto> protos() {
    return protos;
  }
}
