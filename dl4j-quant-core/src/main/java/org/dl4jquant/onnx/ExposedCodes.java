package org.dl4jquant.onnx;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.google.common.collect.ImmutableMap;
import java.util.Map;
import onnx.Onnx.GraphProto;
import onnx.Onnx.ModelProto;
import onnx.Onnx.StringStringEntryProto;
import onnx.Onnx.TensorProto.DataType;
import onnx.Onnx.TypeProto;
import onnx.Onnx.ValueInfoProto;
import org.nd4j.shade.protobuf.InvalidProtocolBufferException;

/** A quantized ONNX model that also outputs the codes of every value, to be compared. Immutable. */
public final class ExposedCodes {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final ModelProto model;
  private final ImmutableMap<String, Stored> stored;

  /**
   * Where a node's codes are.
   *
   * @param tensor the name of the output
   * @param offset what was added to each code
   */
  public record Stored(String tensor, int offset) {}

  private ExposedCodes(ModelProto model, ImmutableMap<String, Stored> stored) {
    this.model = model;
    this.stored = stored;
  }

  /**
   * Returns the model with its codes as further outputs.
   *
   * @throws IllegalArgumentException if these bytes are no quantized model that this library wrote
   */
  public static ExposedCodes of(byte[] model) {
    try {
      return of(ModelProto.parseFrom(model));
    } catch (InvalidProtocolBufferException e) {
      throw new IllegalArgumentException("not an ONNX file: " + e.getMessage(), e);
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException(
          "metadata entry '" + CodeTensor.KEY + "' is damaged: " + e.getMessage(), e);
    }
  }

  private static ExposedCodes of(ModelProto model) throws JsonProcessingException {
    String json =
        model.getMetadataPropsList().stream()
            .filter(entry -> entry.getKey().equals(CodeTensor.KEY))
            .map(StringStringEntryProto::getValue)
            .findFirst()
            .orElseThrow(
                () ->
                    new IllegalArgumentException(
                        "not a quantized ONNX file of this library: no metadata entry '"
                            + CodeTensor.KEY
                            + "'"));
    GraphProto.Builder graph = model.getGraph().toBuilder();
    ImmutableMap.Builder<String, Stored> stored = ImmutableMap.builder();
    for (Map.Entry<String, JsonNode> node : JSON.readTree(json).properties()) {
      JsonNode entry = node.getValue();
      String tensor = entry.path("tensor").asText();
      stored.put(node.getKey(), new Stored(tensor, entry.path("offset").asInt()));
      DataType type = DataType.valueOf(entry.path("type").asText());
      graph.addOutput(
          ValueInfoProto.newBuilder()
              .setName(tensor)
              .setType(
                  TypeProto.newBuilder()
                      .setTensorType(TypeProto.Tensor.newBuilder().setElemType(type.getNumber()))));
    }
    return new ExposedCodes(model.toBuilder().setGraph(graph).build(), stored.buildOrThrow());
  }

  /** Returns the model with the further outputs. */
  public byte[] model() {
    return model.toByteArray();
  }

  /** Returns where the codes are, by node. */
  public ImmutableMap<String, Stored> stored() {
    return stored;
  }
}
