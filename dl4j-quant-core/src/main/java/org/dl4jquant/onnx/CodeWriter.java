package org.dl4jquant.onnx;

import static com.google.common.collect.ImmutableList.toImmutableList;

import com.google.common.collect.ImmutableList;
import com.google.common.primitives.Floats;
import com.google.common.primitives.Ints;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.ToDoubleFunction;
import java.util.function.ToLongFunction;
import onnx.Onnx.TensorProto.DataType;
import org.dl4jquant.format.Granularity;
import org.dl4jquant.format.GridLevels;
import org.dl4jquant.format.NumberFormat;
import org.dl4jquant.graph.ActivationFormat;
import org.dl4jquant.graph.Node;
import org.dl4jquant.graph.ScalarFunction;

/**
 * Writes one value as codes and back: QuantizeLinear, a Clip where the codes do not fill their
 * container or a function clips, DequantizeLinear.
 *
 * <p>Clipping codes after rounding gives what clipping before rounding gives, because the bounds
 * are codes themselves; and it lets runtimes join the operation before with QuantizeLinear. Values
 * with a scale per channel are bounded before and shielded after, because ONNX Runtime would join
 * them with operations whose integer kernels then refuse the scales.
 *
 * <p>Codes of a logarithmic value are looked up in a table of the levels that they become.
 *
 * <p>Codes of more than 8 bits are whole numbers in floats below opset 21, rounded by Round, which
 * gives the same numbers.
 */
final class CodeWriter {
  private final GraphWriter writer;
  private final Node node;
  private final ActivationFormat format;
  private final CodeContainer container;
  private final int rank;
  private final ImmutableList<Step> steps;
  private final Optional<GridLevels> levels;

  /**
   * @param levels that the codes become once they are computed
   * @param rank the number of axes of the value, batch excluded
   */
  CodeWriter(
      GraphWriter writer,
      Node node,
      ActivationFormat format,
      Optional<GridLevels> levels,
      SignedCodes signed,
      int rank) {
    this.writer = writer;
    this.node = node;
    this.format = format;
    this.levels = levels;
    this.container = CodeContainer.of(format, signed, writer.opset());
    this.rank = rank;
    try {
      this.steps = format.formats().stream().map(Step::of).collect(toImmutableList());
    } catch (IllegalArgumentException e) {
      throw new UnsupportedOnnxException(node.op().kind(), node.name(), e);
    }
  }

  CodeContainer container() {
    return container;
  }

  /** What is written between the float value and its codes. */
  enum Clipping {
    /** Nothing: the values are codes of the format already. */
    NONE,
    /** What the format and the function ask for. */
    NEEDED,
    /** Something in any case, because a runtime would join this pair with the one before. */
    ALWAYS
  }

  /**
   * Writes the codes under {@code stored} and their real values under {@code result}.
   *
   * @param value the name of the float tensor
   */
  void write(String value, ScalarFunction clip, Clipping clipping, String stored, String result) {
    String codes = levels.isPresent() ? writer.unique(stored + "/onGrid") : stored;
    List<Long> lowest = new ArrayList<>();
    List<Long> highest = new ArrayList<>();
    boolean narrow = false;
    for (NumberFormat each : format.formats()) {
      lowest.add(each.quantize(clip.lowest()));
      highest.add(each.quantize(clip.highest()));
      narrow |= lowest.get(lowest.size() - 1) + container.offset() > container.lowest();
      narrow |= highest.get(highest.size() - 1) + container.offset() < container.highest();
    }
    boolean clips =
        (clipping == Clipping.ALWAYS && !container.wide())
            || (clipping != Clipping.NONE && narrow)
            || !format.perTensor();
    boolean onCodes = clips && format.perTensor() && !container.wide();
    String bounded = clips && !onCodes ? bounded(value, lowest, highest) : value;
    if (container.floats()) {
      rounded(bounded, codes, stored, result);
      return;
    }
    String scale = constants("scale", Step::scale);
    String zeroPoint = zeroPoints();
    String first = onCodes ? writer.unique(codes + "/rounded") : codes;
    writer.node("QuantizeLinear", List.of(bounded, scale, zeroPoint), first, axis());
    if (onCodes) {
      writer.node(
          "Clip", List.of(first, bound("lowest", lowest), bound("highest", highest)), codes);
    }
    lookUp(codes, stored);
    if (format.perTensor()) {
      writer.node("DequantizeLinear", List.of(stored, scale, zeroPoint), result);
    } else {
      String values = writer.unique(result + "/unshielded");
      writer.node("DequantizeLinear", List.of(stored, scale, zeroPoint), values, axis());
      writer.shield(values, result);
    }
  }

  /** Writes codes as whole numbers in floats: the scale divides, Round sends ties to even. */
  private void rounded(String value, String codes, String stored, String result) {
    String scale = writer.floats(node.name() + "/scale", all(Step::scale), broadcast());
    boolean offset = steps.stream().anyMatch(step -> step.zeroPoint() != 0);
    String whole = offset ? writer.unique(codes + "/rounded") : codes;
    String divided =
        writer.node("Div", List.of(value, scale), writer.unique(node.name() + "/divided"));
    writer.node("Round", List.of(divided), whole);
    if (offset) {
      String zeroPoint =
          writer.floats(node.name() + "/zeroPoint", all(Step::zeroPoint), broadcast());
      writer.node("Add", List.of(whole, zeroPoint), codes);
    }
    lookUp(codes, stored);
    writer.node("Mul", List.of(levels.isPresent() ? stored : whole, scale), result);
  }

  /** Writes the levels that codes of a logarithmic value become; those have no offset. */
  private void lookUp(String codes, String stored) {
    if (levels.isEmpty()) {
      return;
    }
    int[] table = levels.get().table().toArray();
    String index =
        writer.node(
            "Cast",
            List.of(codes),
            writer.unique(node.name() + "/index"),
            new Attributes().integer("to", DataType.INT32.getNumber()));
    String values = node.name() + "/levels";
    String entries =
        container.floats()
            ? writer.floats(values, Floats.toArray(Ints.asList(table)), table.length)
            : writer.codes(values, container.type(), table, table.length);
    writer.node("Gather", List.of(entries, index), stored);
  }

  private Attributes axis() {
    return format.perTensor() ? Attributes.NONE : new Attributes().integer("axis", channelAxis());
  }

  private int channelAxis() {
    return ((Granularity.PerChannel) format.granularity()).axes().get(0);
  }

  private String bound(String which, List<Long> codes) {
    int stored = Math.toIntExact(codes.get(0) + container.offset());
    return writer.codes(node.name() + "/" + which, container.type(), new int[] {stored});
  }

  private String bounded(String value, List<Long> lowest, List<Long> highest) {
    String above =
        writer.node(
            "Max",
            List.of(value, values("lowest", lowest)),
            writer.unique(node.name() + "/fromLowest"));
    return writer.node(
        "Min",
        List.of(above, values("highest", highest)),
        writer.unique(node.name() + "/toHighest"));
  }

  private String values(String which, List<Long> codes) {
    float[] values = new float[codes.size()];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) format.formats().get(i).dequantize(codes.get(i));
    }
    return writer.floats(node.name() + "/" + which, values, broadcast());
  }

  /** Returns the shape of a constant per format that meets the value. */
  private long[] broadcast() {
    return format.perTensor()
        ? new long[0]
        : ParameterLayout.channelShape(steps.size(), rank - channelAxis() + 1);
  }

  private float[] all(ToDoubleFunction<Step> value) {
    float[] values = new float[steps.size()];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) value.applyAsDouble(steps.get(i));
    }
    return values;
  }

  private String constants(String word, ToDoubleFunction<Step> value) {
    return writer.floats(node.name() + "/" + word, all(value), shape());
  }

  private String zeroPoints() {
    ToLongFunction<Step> stored = step -> step.zeroPoint() + container.offset();
    int[] values = steps.stream().mapToLong(stored).mapToInt(Math::toIntExact).toArray();
    return writer.codes(node.name() + "/zeroPoint", container.type(), values, shape());
  }

  private long[] shape() {
    return format.perTensor() ? new long[0] : new long[] {steps.size()};
  }
}
