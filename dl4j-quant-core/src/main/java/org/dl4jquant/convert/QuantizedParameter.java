package org.dl4jquant.convert;

import java.util.Optional;
import org.dl4jquant.dl4j.ParameterRole;
import org.dl4jquant.internal.Checks;
import org.dl4jquant.tensor.QuantizedTensor;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * One parameter of a quantized model: codes, or the numbers as they were with the reason.
 *
 * @param key DL4J's key within the layer
 * @param role what it is for
 * @param codes in the shape of the parameter's layout, DL4J's own but for a 1D convolution; absent
 *     if it stays float
 * @param values what stays float, never written to; absent if there are codes
 * @param floatReason why it stays float; empty if there are codes
 * @param sqnrDb signal to quantization noise against the original, in dB; infinite if nothing was
 *     lost
 */
public record QuantizedParameter(
    String key,
    ParameterRole role,
    Optional<QuantizedTensor> codes,
    Optional<INDArray> values,
    String floatReason,
    double sqnrDb) {
  public QuantizedParameter {
    Checks.that(
        codes.isPresent() != values.isPresent(), "parameter " + key, "be codes or values", "both");
  }

  static QuantizedParameter ofCodes(
      String key, ParameterRole role, QuantizedTensor codes, double sqnrDb) {
    return new QuantizedParameter(key, role, Optional.of(codes), Optional.empty(), "", sqnrDb);
  }

  static QuantizedParameter ofValues(
      String key, ParameterRole role, INDArray values, String reason) {
    return new QuantizedParameter(
        key, role, Optional.empty(), Optional.of(values), reason, Double.POSITIVE_INFINITY);
  }

  /** Returns the number of elements. */
  public long length() {
    return codes.isPresent() ? codes.get().length() : values.orElseThrow().length();
  }

  /** Returns the bits of one element; 32 for float, 64 for double, whatever DL4J holds. */
  public int bitWidth() {
    return codes.isPresent()
        ? codes.get().bitWidth()
        : values.orElseThrow().dataType().width() * Byte.SIZE;
  }
}
