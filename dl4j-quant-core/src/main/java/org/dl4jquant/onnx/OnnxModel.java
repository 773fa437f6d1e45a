package org.dl4jquant.onnx;

import com.google.common.collect.ImmutableMap;
import com.google.common.hash.Hashing;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import onnx.Onnx.GraphProto;
import onnx.Onnx.ModelProto;
import onnx.Onnx.OperatorSetIdProto;
import onnx.Onnx.StringStringEntryProto;
import onnx.Onnx.TensorProto;
import org.dl4jquant.internal.AtomicFile;
import org.dl4jquant.internal.Checks;

/**
 * A network in ONNX's own form, ready to be written. The same network and options give the same
 * bytes. Immutable and thread-safe.
 */
public final class OnnxModel {
  /** The metadata entry with the SHA-256 of the graph, in hexadecimal. */
  public static final String HASH_KEY = "dl4j-quant.sha256";

  /** Smaller constants stay in the model: shape inference does not look for them elsewhere. */
  private static final int EXTERNAL_FROM = 1024;

  private final ModelProto proto;
  private final ImmutableMap<String, String> unpromised;
  private final long externalDataAbove;

  private OnnxModel(
      ModelProto proto, ImmutableMap<String, String> unpromised, long externalDataAbove) {
    this.proto = proto;
    this.unpromised = unpromised;
    this.externalDataAbove = externalDataAbove;
  }

  static OnnxModel of(
      GraphProto graph,
      int opset,
      OnnxOptions options,
      Map<String, String> metadata,
      Map<String, String> unpromised) {
    ModelProto.Builder model =
        ModelProto.newBuilder()
            .setIrVersion(options.irVersion(opset))
            .setProducerName("dl4j-quant")
            .addOpsetImport(OperatorSetIdProto.newBuilder().setVersion(opset))
            .setGraph(graph);
    metadata.forEach((key, value) -> add(model, key, value));
    options.metadata().forEach((key, value) -> add(model, key, value));
    add(model, HASH_KEY, Hashing.sha256().hashBytes(graph.toByteArray()).toString());
    return new OnnxModel(
        model.build(), ImmutableMap.copyOf(unpromised), options.externalDataAbove());
  }

  private static void add(ModelProto.Builder model, String key, String value) {
    model.addMetadataProps(StringStringEntryProto.newBuilder().setKey(key).setValue(value));
  }

  /** Returns the version of the operator set. */
  public int opset() {
    return (int) proto.getOpsetImport(0).getVersion();
  }

  /** Returns the version of the file format. */
  public int irVersion() {
    return (int) proto.getIrVersion();
  }

  /** Returns the metadata, the hash of the graph included. */
  public ImmutableMap<String, String> metadata() {
    ImmutableMap.Builder<String, String> metadata = ImmutableMap.builder();
    proto.getMetadataPropsList().forEach(entry -> metadata.put(entry.getKey(), entry.getValue()));
    return metadata.buildKeepingLast();
  }

  /**
   * Returns the nodes whose codes may differ from those of the integer network although the codes
   * that they are computed from are equal, each with the reason; empty for a float model.
   */
  public ImmutableMap<String, String> unpromised() {
    return unpromised;
  }

  /**
   * Returns the file's content, constants included.
   *
   * @throws IllegalStateException if it is so large that constants need a file of their own
   */
  public byte[] toByteArray() {
    Checks.state(!large(), "the model's constants need a file of their own: use writeTo");
    return proto.toByteArray();
  }

  private boolean large() {
    return constantBytes() > externalDataAbove;
  }

  private long constantBytes() {
    return proto.getGraph().getInitializerList().stream()
        .mapToLong(tensor -> tensor.getRawData().size())
        .sum();
  }

  /**
   * Writes the model, whole or not at all. Constants beyond the limit of {@link OnnxOptions} go
   * into a second file beside it, of the same name with {@code .data} appended.
   *
   * @throws UncheckedIOException if writing fails; the message names the file
   */
  public void writeTo(Path file) {
    if (!large()) {
      AtomicFile.write(file, proto::writeTo);
      return;
    }
    Path data = file.resolveSibling(file.getFileName() + ".data");
    GraphProto.Builder graph = proto.getGraph().toBuilder();
    List<TensorProto> tensors = new ArrayList<>(graph.getInitializerList());
    AtomicFile.write(
        data,
        out -> {
          for (TensorProto tensor : tensors) {
            if (tensor.getRawData().size() >= EXTERNAL_FROM) {
              tensor.getRawData().writeTo(out);
            }
          }
        });
    long offset = 0;
    for (int i = 0; i < tensors.size(); i++) {
      long length = tensors.get(i).getRawData().size();
      if (length < EXTERNAL_FROM) {
        continue;
      }
      graph.setInitializer(i, external(tensors.get(i), data, offset, length));
      offset += length;
    }
    ModelProto small = proto.toBuilder().setGraph(graph).build();
    AtomicFile.write(file, small::writeTo);
  }

  private static TensorProto external(TensorProto tensor, Path data, long offset, long length) {
    return tensor.toBuilder()
        .clearRawData()
        .setDataLocation(TensorProto.DataLocation.EXTERNAL)
        .addExternalData(entry("location", String.valueOf(data.getFileName())))
        .addExternalData(entry("offset", Long.toString(offset)))
        .addExternalData(entry("length", Long.toString(length)))
        .build();
  }

  private static StringStringEntryProto entry(String key, String value) {
    return StringStringEntryProto.newBuilder().setKey(key).setValue(value).build();
  }
}
