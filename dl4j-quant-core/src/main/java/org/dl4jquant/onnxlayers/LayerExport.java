package org.dl4jquant.onnxlayers;

import com.google.common.collect.ImmutableMap;
import java.util.Optional;
import org.dl4jquant.dl4j.FloatPart;
import org.dl4jquant.graph.FloatFunction;
import org.dl4jquant.onnx.FloatFunctionExport;
import org.dl4jquant.tensor.QuantizedTensor;

/**
 * Writes the layers, functions and vertices that a graph takes over from DL4J: {@code LSTM}, {@code
 * GravesLSTM}, {@code GravesBidirectionalLSTM}, {@code SimpleRnn}, {@code Bidirectional}, {@code
 * LastTimeStep}, both embeddings, {@code PReLULayer}, {@code ElementWiseMultiplicationLayer},
 * {@code LocalResponseNormalization}, the activation functions without an integer form,
 * element-wise, normalizing and time-series vertices. Others are refused by name.
 *
 * <p>Sequences count whole: there are no masks. Immutable and thread-safe.
 */
public final class LayerExport implements FloatFunctionExport {
  /** Writes all weights as floats. */
  public static final LayerExport FLOATS = new LayerExport(ImmutableMap.of());

  private final ImmutableMap<String, QuantizedTensor> codes;

  private LayerExport(ImmutableMap<String, QuantizedTensor> codes) {
    this.codes = codes;
  }

  /**
   * Returns an export that writes weights as codes with DequantizeLinear.
   *
   * @param codes by {@code layer/key}, in DL4J's shapes; other parameters are floats
   */
  public static LayerExport of(ImmutableMap<String, QuantizedTensor> codes) {
    return new LayerExport(codes);
  }

  @Override
  public Optional<String> write(FloatFunction function, Target target) {
    boolean perStep = FloatPart.perStep(function);
    return FloatPart.of(function).map(part -> write(part, perStep, target));
  }

  private String write(FloatPart part, boolean perStep, Target target) {
    Pen pen = new Pen(target);
    if (part instanceof FloatPart.OfActivation activation) {
      return new FunctionWriter(pen).write(activation.activation(), target.inputs().get(0));
    }
    if (part instanceof FloatPart.OfLayer layer) {
      return new LayerWriter(pen, new Constants(layer, codes, target), perStep).write();
    }
    if (part instanceof FloatPart.OfVertex vertex) {
      return new VertexWriter(pen, target).write(vertex.configuration());
    }
    if (part instanceof FloatPart.Time time) {
      return new VertexWriter(pen, target).write(time.kernel());
    }
    throw new IllegalArgumentException("nothing in ONNX is known for this preprocessor");
  }
}
