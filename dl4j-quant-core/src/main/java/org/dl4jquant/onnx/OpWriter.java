package org.dl4jquant.onnx;

import java.util.List;
import java.util.stream.LongStream;
import org.dl4jquant.graph.Activation;
import org.dl4jquant.graph.Add;
import org.dl4jquant.graph.AveragePool;
import org.dl4jquant.graph.ChannelAffine;
import org.dl4jquant.graph.Concat;
import org.dl4jquant.graph.Convolution;
import org.dl4jquant.graph.Crop;
import org.dl4jquant.graph.Deconvolution;
import org.dl4jquant.graph.Dense;
import org.dl4jquant.graph.Flatten;
import org.dl4jquant.graph.FloatFunction;
import org.dl4jquant.graph.GlobalPool;
import org.dl4jquant.graph.Input;
import org.dl4jquant.graph.MaxPool;
import org.dl4jquant.graph.Node;
import org.dl4jquant.graph.OpVisitor;
import org.dl4jquant.graph.Padding;
import org.dl4jquant.graph.Permute;
import org.dl4jquant.graph.Reshape;
import org.dl4jquant.graph.Shape;
import org.dl4jquant.graph.Softmax;
import org.dl4jquant.graph.Upsample;
import org.dl4jquant.graph.ZeroPad;

/** Writes one operation on float tensors; every method returns the name of the result. */
final class OpWriter implements OpVisitor<String> {
  private final GraphWriter writer;
  private final Node node;
  private final List<String> inputs;
  private final List<Shape> shapes;
  private final Parameters parameters;
  private final OnnxOptions options;
  private final String out;

  /**
   * @param inputs names of the tensors that the node takes, with {@code shapes}, batch excluded
   * @param out the name that the result gets; already taken
   */
  OpWriter(
      GraphWriter writer,
      Node node,
      List<String> inputs,
      List<Shape> shapes,
      Parameters parameters,
      OnnxOptions options,
      String out) {
    this.writer = writer;
    this.node = node;
    this.inputs = inputs;
    this.shapes = shapes;
    this.parameters = parameters;
    this.options = options;
    this.out = out;
  }

  private UnsupportedOnnxException refusal(String problem) {
    return new UnsupportedOnnxException(node.op().kind(), node.name(), problem);
  }

  private String x() {
    return inputs.get(0);
  }

  private Shape in() {
    return shapes.get(0);
  }

  private String temporary(String word) {
    return writer.unique(node.name() + "/" + word);
  }

  @Override
  public String input(Input op) {
    return node.name();
  }

  @Override
  public String dense(Dense op) {
    ParameterLayout layout =
        ParameterLayout.outputsFirst(op, op.outputChannels(), op.inputChannels());
    String weight = parameters.weight(layout);
    String bias = parameters.bias(layout);
    return withBias(
        1,
        product ->
            writer.node(
                "Gemm", given(x(), weight, bias), product, new Attributes().integer("transB", 1)));
  }

  private static List<String> given(String x, String weight, String bias) {
    return bias.equals(GraphWriter.ABSENT) ? List.of(x, weight) : List.of(x, weight, bias);
  }

  /** Writes the product under the final name, or a product and its sum with a detached bias. */
  private String withBias(int rank, java.util.function.UnaryOperator<String> product) {
    String detached = parameters.detachedBias(rank);
    if (detached.equals(GraphWriter.ABSENT)) {
      return product.apply(out);
    }
    String sum = product.apply(temporary("product"));
    return writer.node("Add", List.of(sum, detached), out);
  }

  @Override
  public String convolution(Convolution op) {
    Windows windows = Windows.of(op.window(), in());
    ParameterLayout layout =
        ParameterLayout.outputsFirst(
            op, windows.weightShape(op.outputChannels(), op.weight().size(1)));
    Windows over = windows.countsPadsLater() ? windows.withoutPadding() : windows;
    Attributes attributes = over.attributes().integer("group", op.groups());
    return convolve("Conv", windows, layout, attributes, windows.countsPadsLater());
  }

  private String convolve(
      String type,
      Windows windows,
      ParameterLayout layout,
      Attributes attributes,
      boolean padsFirst) {
    String weight = parameters.weight(layout);
    String bias = parameters.bias(layout);
    String entered = windows.enter(writer, x());
    String from = padsFirst ? windows.padded(writer, entered, 0) : entered;
    return withBias(
        in().rank(),
        product -> {
          String raw = windows.asImage() ? temporary("image") : product;
          writer.node(type, given(from, weight, bias), raw, attributes);
          return windows.leave(writer, raw, product);
        });
  }

  @Override
  public String deconvolution(Deconvolution op) {
    Windows windows = Windows.of(op.window(), in());
    ParameterLayout layout =
        ParameterLayout.inputsFirst(
            op, windows.weightShape(op.inputChannels(), op.outputChannels()));
    Attributes attributes =
        new Attributes()
            .integers("kernel_shape", windows.extent(op.window().kernel()))
            .integers("strides", windows.extent(op.strides()))
            .integers("dilations", windows.extent(op.dilation()))
            .integers("pads", windows.pads(op.cut()));
    if (op.padding().equals(Padding.SAME)) {
      int bottom = Math.max(0, op.strides().height() - op.window().reachHeight());
      int right = Math.max(0, op.strides().width() - op.window().reachWidth());
      attributes.integers(
          "output_padding", windows.sequence() ? new long[] {right} : new long[] {bottom, right});
    }
    return convolve("ConvTranspose", windows, layout, attributes, false);
  }

  @Override
  public String channelAffine(ChannelAffine op) {
    ParameterLayout layout = ParameterLayout.perChannel(op, in().rank());
    String product =
        writer.node("Mul", List.of(x(), parameters.weight(layout)), temporary("product"));
    String bias = parameters.bias(layout);
    String addend = bias.equals(GraphWriter.ABSENT) ? parameters.detachedBias(in().rank()) : bias;
    return writer.node("Add", List.of(product, addend), out);
  }

  @Override
  public String activation(Activation op) {
    Functions.write(writer, op.function(), x(), out);
    return out;
  }

  @Override
  public String maxPool(MaxPool op) {
    Windows windows = Windows.of(op.window(), in());
    return pool("MaxPool", windows, windows.padsBeyondKernel(), -Float.MAX_VALUE, new Attributes());
  }

  @Override
  public String averagePool(AveragePool op) {
    Windows windows = Windows.of(op.window(), in());
    if (windows.dilated() && writer.opset() < Opset.DILATED_AVERAGE_POOL) {
      throw refusal(
          "dilation needs opset " + Opset.DILATED_AVERAGE_POOL + ", found " + writer.opset());
    }
    if (!op.countsPadding() && windows.countsPadsLater()) {
      throw refusal("its padding, which is not counted, depends on sizes that only data tells");
    }
    if (!op.countsPadding() && windows.padsBeyondKernel()) {
      throw refusal("its padding reaches beyond the kernel and is not counted");
    }
    // ONNX Runtime's kernels since opset 19 do not count zeros at the end as it counts those
    // before.
    boolean uneven = op.countsPadding() && windows.padsUnevenly();
    if (uneven && windows.padsLater() && writer.opset() >= Opset.DILATED_AVERAGE_POOL) {
      throw refusal("padding that is counted needs known sizes since opset 19");
    }
    return pool(
        "AveragePool",
        windows,
        windows.padsBeyondKernel() || (uneven && !windows.padsLater()),
        0,
        new Attributes().integer("count_include_pad", op.countsPadding() ? 1 : 0));
  }

  /** Writes a pool; {@code padsFirst} tells that padding must be an operation of its own. */
  private String pool(
      String type, Windows windows, boolean padsFirst, float padding, Attributes more) {
    if (windows.mayBeEmpty()) {
      throw refusal("some windows see nothing but padding");
    }
    String from = windows.enter(writer, x());
    Windows over = windows;
    if (windows.countsPadsLater()) {
      from = windows.padded(writer, from, padding);
      over = windows.withoutPadding();
    } else if (padsFirst) {
      from = padded(from, windows.pads(windows.pads()), padding, temporary("padded"));
      over = windows.withoutPadding();
    }
    String raw = windows.asImage() ? temporary("image") : out;
    Attributes attributes = over.attributes();
    attributes.addAll(more);
    writer.node(type, List.of(from), raw, attributes);
    return windows.leave(writer, raw, out);
  }

  private String padded(String value, long[] pads, float constant, String result) {
    int axes = pads.length / 2;
    long[] all = new long[2 * (axes + 2)];
    System.arraycopy(pads, 0, all, 2, axes);
    System.arraycopy(pads, axes, all, axes + 4, axes);
    String amounts = writer.longs(result + "/pads", all);
    return writer.node(
        "Pad", List.of(value, amounts, writer.scalar(result + "/constant", constant)), result);
  }

  @Override
  public String globalPool(GlobalPool op) {
    if (op.reduction() == GlobalPool.Reduction.SUM) {
      String axes =
          writer.longs(node.name() + "/axes", LongStream.range(2, in().rank() + 1).toArray());
      return writer.node(
          "ReduceSum", List.of(x(), axes), out, new Attributes().integer("keepdims", 0));
    }
    String type =
        op.reduction() == GlobalPool.Reduction.MAX ? "GlobalMaxPool" : "GlobalAveragePool";
    String pooled = writer.node(type, List.of(x()), temporary("pooled"));
    return reshaped(pooled, 0, in().channels());
  }

  private String reshaped(String value, long... sizes) {
    return writer.node("Reshape", List.of(value, writer.longs(node.name() + "/shape", sizes)), out);
  }

  private static long[] sides(Padding.Explicit amounts, int rank) {
    return rank == 2
        ? new long[] {amounts.left(), amounts.right()}
        : new long[] {amounts.top(), amounts.left(), amounts.bottom(), amounts.right()};
  }

  @Override
  public String zeroPad(ZeroPad op) {
    return padded(x(), sides(op.amounts(), in().rank()), 0, out);
  }

  @Override
  public String crop(Crop op) {
    long[] sides = sides(op.amounts(), in().rank());
    int axes = sides.length / 2;
    long[] starts = new long[axes];
    long[] ends = new long[axes];
    for (int i = 0; i < axes; i++) {
      starts[i] = sides[i];
      ends[i] = sides[axes + i] == 0 ? Long.MAX_VALUE : -sides[axes + i];
    }
    return writer.node(
        "Slice",
        List.of(
            x(),
            writer.longs(node.name() + "/starts", starts),
            writer.longs(node.name() + "/ends", ends),
            writer.longs(node.name() + "/axes", LongStream.range(2, 2 + axes).toArray())),
        out);
  }

  @Override
  public String upsample(Upsample op) {
    float[] scales =
        in().rank() == 2
            ? new float[] {1, 1, op.factor().width()}
            : new float[] {1, 1, op.factor().height(), op.factor().width()};
    return writer.node(
        "Resize",
        List.of(
            x(), GraphWriter.ABSENT, writer.floats(node.name() + "/scales", scales, scales.length)),
        out,
        new Attributes()
            .text("mode", "nearest")
            .text("nearest_mode", "floor")
            .text("coordinate_transformation_mode", "asymmetric"));
  }

  @Override
  public String flatten(Flatten op) {
    return reshaped(x(), 0, -1);
  }

  @Override
  public String reshape(Reshape op) {
    return reshaped(
        x(), LongStream.concat(LongStream.of(0), longs(op.target().sizes().toArray())).toArray());
  }

  private static LongStream longs(int[] values) {
    return java.util.Arrays.stream(values).asLongStream();
  }

  @Override
  public String permute(Permute op) {
    long[] order =
        LongStream.concat(LongStream.of(0), longs(op.axes().toArray()).map(axis -> axis + 1))
            .toArray();
    return writer.node("Transpose", List.of(x()), out, new Attributes().integers("perm", order));
  }

  @Override
  public String add(Add op) {
    String sum = x();
    for (int i = 1; i < inputs.size(); i++) {
      String name = i == inputs.size() - 1 ? out : temporary("sum");
      sum = writer.node("Add", List.of(sum, inputs.get(i)), name);
    }
    return sum;
  }

  @Override
  public String concat(Concat op) {
    return writer.node("Concat", inputs, out, new Attributes().integer("axis", op.axis() + 1));
  }

  @Override
  public String softmax(Softmax op) {
    return writer.node("Softmax", List.of(x()), out, new Attributes().integer("axis", 1));
  }

  @Override
  public String floatFunction(FloatFunction op) {
    FunctionTarget target =
        new FunctionTarget(writer, options.constants(writer), node.name(), inputs, shapes);
    try {
      String result = options.functions().write(op, target).orElseThrow(() -> refusal(op.reason()));
      return writer.node("Identity", List.of(result), out);
    } catch (IllegalArgumentException e) {
      throw new UnsupportedOnnxException(op.kind(), node.name(), e);
    }
  }
}
