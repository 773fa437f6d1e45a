package org.dl4jquant.export;

import com.google.common.collect.ImmutableList;
import com.google.common.primitives.Ints;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.dl4jquant.convert.QuantizedLayer;
import org.dl4jquant.convert.QuantizedModel;
import org.dl4jquant.convert.QuantizedParameter;
import org.dl4jquant.format.FixedPointFormat;
import org.dl4jquant.format.Granularity;
import org.dl4jquant.format.NumberFormat;
import org.dl4jquant.tensor.QuantizedTensor;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.api.preprocessor.Normalizer;
import org.nd4j.linalg.dataset.api.preprocessor.serializer.NormalizerSerializer;

/** Lays a model out as the entries of an archive. */
final class ArchiveWriter {
  private ArchiveWriter() {}

  static void collect(
      QuantizedModel model, Map<String, byte[]> entries, List<ParameterEntry> parameters) {
    entries.put(
        PackedArchive.CONFIGURATION, model.configuration().getBytes(StandardCharsets.UTF_8));
    for (QuantizedLayer layer : model.layers()) {
      for (QuantizedParameter parameter : layer.parameters()) {
        int number = parameters.size();
        parameters.add(
            parameter.codes().isPresent()
                ? codes(layer, parameter, parameter.codes().get(), number, entries)
                : values(layer, parameter, parameter.values().orElseThrow(), number, entries));
      }
    }
    model
        .attachments()
        .normalizer()
        .ifPresent(normalizer -> entries.put(PackedArchive.NORMALIZER, bytes(normalizer)));
    model
        .attachments()
        .updaterState()
        .ifPresent(
            state ->
                entries.put(
                    state.dataType() == DataType.DOUBLE
                        ? PackedArchive.WIDE_UPDATER_STATE
                        : PackedArchive.UPDATER_STATE,
                    bytes(state)));
  }

  private static ParameterEntry codes(
      QuantizedLayer layer,
      QuantizedParameter parameter,
      QuantizedTensor codes,
      int number,
      Map<String, byte[]> entries) {
    String content = "codes/" + number + ".bin";
    String formats = "formats/" + number + ".bin";
    entries.put(content, codes.packed());
    entries.put(formats, FormatBytes.write(codes.formats()));
    NumberFormat first = codes.formats().get(0);
    return new ParameterEntry(
        layer.name(),
        parameter.key(),
        parameter.role(),
        ImmutableList.copyOf(Ints.asList(codes.shape())),
        Optional.of(
            new ParameterEntry.Coding(
                FormatBytes.Scheme.of(codes.formats()),
                first.bitWidth(),
                first.signed(),
                first instanceof FixedPointFormat own && own.narrowRange(),
                FormatBytes.levels(codes.formats()),
                axes(codes.granularity()),
                formats)),
        "",
        "",
        parameter.sqnrDb(),
        content);
  }

  private static ParameterEntry values(
      QuantizedLayer layer,
      QuantizedParameter parameter,
      INDArray values,
      int number,
      Map<String, byte[]> entries) {
    String content = "values/" + number + ".bin";
    entries.put(content, bytes(values));
    ImmutableList.Builder<Integer> shape = ImmutableList.builder();
    for (long size : values.shape()) {
      shape.add(Math.toIntExact(size));
    }
    return new ParameterEntry(
        layer.name(),
        parameter.key(),
        parameter.role(),
        shape.build(),
        Optional.empty(),
        values.dataType().name(),
        parameter.floatReason(),
        parameter.sqnrDb(),
        content);
  }

  private static ImmutableList<Integer> axes(Granularity granularity) {
    return granularity instanceof Granularity.PerChannel channels
        ? channels.axes()
        : ImmutableList.of();
  }

  /** Doubles as doubles, everything else as floats, which hold halves exactly. */
  static byte[] bytes(INDArray array) {
    INDArray ordered = array.dup('c');
    boolean wide = array.dataType() == DataType.DOUBLE;
    int width = wide ? Double.BYTES : Float.BYTES;
    ByteBuffer bytes = ByteBuffer.allocate(Math.toIntExact(array.length() * width));
    if (wide) {
      bytes.asDoubleBuffer().put(ordered.data().asDouble());
    } else {
      bytes.asFloatBuffer().put(ordered.data().asFloat());
    }
    return bytes.array();
  }

  static byte[] bytes(Normalizer<?> normalizer) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try {
      NormalizerSerializer.getDefault().write(normalizer, out);
    } catch (IOException e) {
      throw new UncheckedIOException("the normalizer cannot be written", e);
    }
    return out.toByteArray();
  }
}
