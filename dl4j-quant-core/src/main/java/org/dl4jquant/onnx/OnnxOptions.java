package org.dl4jquant.onnx;

import com.google.common.collect.ImmutableMap;
import com.google.errorprone.annotations.CanIgnoreReturnValue;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.OptionalInt;
import org.dl4jquant.internal.Checks;

/** How a network is written as ONNX. Immutable. */
public final class OnnxOptions {
  /** Protocol buffers end at 2 GB; constants above this many bytes go into a file of their own. */
  private static final long EXTERNAL_DATA_ABOVE = 1_500_000_000L;

  private final OptionalInt opset;
  private final OptionalInt irVersion;
  private final ImmutableMap<String, String> metadata;
  private final FloatFunctionExport functions;
  private final SignedCodes signedCodes;
  private final boolean fourBitWeights;
  private final long externalDataAbove;

  private OnnxOptions(Builder builder) {
    opset = builder.opset;
    irVersion = builder.irVersion;
    metadata = ImmutableMap.copyOf(builder.metadata);
    functions = builder.functions;
    signedCodes = builder.signedCodes;
    fourBitWeights = builder.fourBitWeights;
    externalDataAbove = builder.externalDataAbove;
  }

  /**
   * Returns the options that current runtimes read: opset 17 in IR version 8, or the first opset
   * that has what the network needs (19 for dilated average pooling).
   */
  public static OnnxOptions defaults() {
    return builder().build();
  }

  /** Returns a builder that starts with the defaults. */
  public static Builder builder() {
    return new Builder();
  }

  /** Returns a builder that starts with these options. */
  public Builder toBuilder() {
    Builder builder = new Builder();
    builder.opset = opset;
    builder.irVersion = irVersion;
    builder.metadata.putAll(metadata);
    builder.functions = functions;
    builder.signedCodes = signedCodes;
    builder.fourBitWeights = fourBitWeights;
    builder.externalDataAbove = externalDataAbove;
    return builder;
  }

  /** Returns the chosen opset, or the first from 17 that has what is needed if none was chosen. */
  int opset(int needed) {
    int least = fourBitWeights ? Math.max(needed, Opset.SIXTEEN_BITS) : needed;
    return opset.orElse(Math.max(Opset.DEFAULT, least));
  }

  DequantizedConstant constants(GraphWriter writer) {
    return new DequantizedConstant(writer, fourBitWeights);
  }

  int irVersion(int opsetWritten) {
    return irVersion.orElse(Opset.irVersion(opsetWritten));
  }

  ImmutableMap<String, String> metadata() {
    return metadata;
  }

  FloatFunctionExport functions() {
    return functions;
  }

  SignedCodes signedCodes() {
    return signedCodes;
  }

  long externalDataAbove() {
    return externalDataAbove;
  }

  /** Collects options. Not thread-safe. */
  public static final class Builder {
    private OptionalInt opset = OptionalInt.empty();
    private OptionalInt irVersion = OptionalInt.empty();
    private final Map<String, String> metadata = new LinkedHashMap<>();
    private FloatFunctionExport functions = FloatFunctionExport.none();
    private SignedCodes signedCodes = SignedCodes.INT8;
    private boolean fourBitWeights;
    private long externalDataAbove = EXTERNAL_DATA_ABOVE;

    private Builder() {}

    /**
     * Sets the version of the operator set, 13 to 22. A network that needs a later one is refused.
     */
    @CanIgnoreReturnValue
    public Builder opset(int version) {
      opset = OptionalInt.of(Checks.inRange("opset", version, Opset.OLDEST, Opset.NEWEST));
      return this;
    }

    /** Sets the version of the file format, 7 to 12; by default the one that fits the opset. */
    @CanIgnoreReturnValue
    public Builder irVersion(int version) {
      irVersion = OptionalInt.of(Checks.inRange("irVersion", version, 7, 12));
      return this;
    }

    /** Adds a line to the file's metadata. */
    @CanIgnoreReturnValue
    public Builder metadata(String key, String value) {
      Checks.that(!key.isBlank(), "key", "not be blank", "'" + key + "'");
      metadata.put(key, value);
      return this;
    }

    /** Sets what writes the functions that the graph knows only as a computation. */
    @CanIgnoreReturnValue
    public Builder floatFunctions(FloatFunctionExport export) {
      functions = export;
      return this;
    }

    /** Sets the container of signed activation codes of up to 8 bits. */
    @CanIgnoreReturnValue
    public Builder signedCodes(SignedCodes container) {
      signedCodes = container;
      return this;
    }

    /**
     * Stores signed weights of up to 4 bits as INT4, two in a byte, instead of INT8. That needs
     * opset 21 (ONNX Runtime 1.19); integer kernels do not take it, so that products are computed
     * in float, with the same results.
     */
    @CanIgnoreReturnValue
    public Builder fourBitWeights(boolean packed) {
      fourBitWeights = packed;
      return this;
    }

    /** Sets what writes functions to what is set now, then {@code other}. */
    @CanIgnoreReturnValue
    public Builder addFloatFunctions(FloatFunctionExport other) {
      functions = functions.orElse(other);
      return this;
    }

    /** Sets the number of bytes from which constants go into a file beside the model. */
    @CanIgnoreReturnValue
    public Builder externalDataAbove(long bytes) {
      Checks.that(
          bytes >= 0 && bytes <= EXTERNAL_DATA_ABOVE,
          "externalDataAbove",
          "be between 0 and " + EXTERNAL_DATA_ABOVE,
          bytes);
      externalDataAbove = bytes;
      return this;
    }

    /**
     * Returns the options.
     *
     * @throws IllegalArgumentException if weights of 4 bits are asked for in an opset without them
     */
    public OnnxOptions build() {
      Checks.that(
          !fourBitWeights || opset.isEmpty() || opset.getAsInt() >= Opset.SIXTEEN_BITS,
          "opset",
          "be " + Opset.SIXTEEN_BITS + " at least for weights of 4 bits",
          opset.isPresent() ? opset.getAsInt() : "none");
      return new OnnxOptions(this);
    }
  }
}
