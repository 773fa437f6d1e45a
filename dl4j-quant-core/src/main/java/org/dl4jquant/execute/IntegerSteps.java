package org.dl4jquant.execute;

import static com.google.common.collect.ImmutableList.toImmutableList;

import com.google.common.collect.ImmutableList;
import com.google.common.primitives.ImmutableIntArray;
import java.util.List;
import org.dl4jquant.format.AffineParameters;
import org.dl4jquant.format.Rounding;
import org.dl4jquant.format.UniformFormat;
import org.dl4jquant.graph.AccumulatorFormat;
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
import org.dl4jquant.graph.Permute;
import org.dl4jquant.graph.QuantizedGraph.Carrier;
import org.dl4jquant.graph.Reshape;
import org.dl4jquant.graph.ScalarFunction;
import org.dl4jquant.graph.Softmax;
import org.dl4jquant.graph.Upsample;
import org.dl4jquant.graph.Weighted;
import org.dl4jquant.graph.ZeroPad;
import org.dl4jquant.internal.Checks;

/**
 * The integer steps of one node whose inputs are all codes; none if it must be computed in float.
 */
final class IntegerSteps implements OpVisitor<List<Step>> {
  private final IntegerPlan plan;
  private final Node node;

  IntegerSteps(IntegerPlan plan, Node node) {
    this.plan = plan;
    this.node = node;
  }

  private Rounding rounding() {
    return plan.quantized().rounding();
  }

  private boolean carries(Carrier carrier) {
    return plan.quantized().carrier(node.name()) == carrier;
  }

  static SumSink codes(IntegerPlan plan, String target, AccumulatorFormat sums, int bits) {
    return codes(plan, target, ScalarFunction.identity(), sums, bits);
  }

  static SumSink clipped(IntegerPlan plan, Node activation, AccumulatorFormat sums, int bits) {
    ScalarFunction function = ((Activation) activation.op()).function();
    return codes(plan, activation.name(), function, sums, bits);
  }

  private static SumSink codes(
      IntegerPlan plan, String target, ScalarFunction clip, AccumulatorFormat sums, int bits) {
    return new SumSink.Codes(
        target,
        Requantization.of(
            sums, plan.formats(target, sums.channels()), clip, plan.quantized().rounding(), bits));
  }

  @Override
  public List<Step> input(Input op) {
    return List.of();
  }

  private List<Step> weighted(Weighted op) {
    return plan.quantized()
        .weights(node.name())
        .map(
            weights -> {
              WeightedPlan weighted =
                  new WeightedPlan(
                      node.name(),
                      node.input(),
                      op,
                      weights,
                      plan.formats(node.input(), op.inputChannels()),
                      rounding());
              SumSink sink = plan.sink(node, weights.accumulator(), weighted.bits());
              return List.of(weighted.step(sink));
            })
        .orElse(List.of());
  }

  @Override
  public List<Step> dense(Dense op) {
    return weighted(op);
  }

  @Override
  public List<Step> convolution(Convolution op) {
    return weighted(op);
  }

  @Override
  public List<Step> deconvolution(Deconvolution op) {
    return weighted(op);
  }

  @Override
  public List<Step> channelAffine(ChannelAffine op) {
    return weighted(op);
  }

  @Override
  public List<Step> activation(Activation op) {
    if (!carries(Carrier.CODES)) {
      return List.of();
    }
    ImmutableList<UniformFormat> from = plan.formats(node.input());
    if (op.function().clips()) {
      int bits = from.get(0).bitWidth() + 1;
      return List.of(
          new ClipStep(
              node.name(), node.input(), clipped(plan, node, Requantization.grid(from), bits)));
    }
    return List.of(
        new TableStep(
            node.name(), node.input(), op.function(), from, plan.formats(node.name()), rounding()));
  }

  @Override
  public List<Step> maxPool(MaxPool op) {
    return List.of(new MaxPoolStep(node.name(), node.input(), op));
  }

  private Quotient quotient() {
    return Quotient.of(plan.formats(node.input()), plan.formats(node.name()), rounding());
  }

  @Override
  public List<Step> averagePool(AveragePool op) {
    return carries(Carrier.CODES)
        ? List.of(new AveragePoolStep(node.name(), node.input(), op, quotient()))
        : List.of();
  }

  @Override
  public List<Step> globalPool(GlobalPool op) {
    return carries(Carrier.CODES)
        ? List.of(new GlobalPoolStep(node.name(), node.input(), op.reduction(), quotient()))
        : List.of();
  }

  private List<Step> move(MoveStep.Map map) {
    return List.of(new MoveStep(node.name(), node.input(), map));
  }

  @Override
  public List<Step> zeroPad(ZeroPad op) {
    return move((in, out) -> Moves.framed(in, out, op.amounts(), 1));
  }

  @Override
  public List<Step> crop(Crop op) {
    return move((in, out) -> Moves.framed(in, out, op.amounts(), -1));
  }

  @Override
  public List<Step> upsample(Upsample op) {
    return move((in, out) -> Moves.upsampled(in, out, op.factor()));
  }

  @Override
  public List<Step> flatten(Flatten op) {
    return move(Moves::same);
  }

  @Override
  public List<Step> reshape(Reshape op) {
    return move(Moves::same);
  }

  @Override
  public List<Step> permute(Permute op) {
    return move((in, out) -> Moves.permuted(in, out, op));
  }

  @Override
  public List<Step> add(Add op) {
    if (carries(Carrier.FLOATS)) {
      return List.of();
    }
    List<ImmutableList<UniformFormat>> formats = node.inputs().stream().map(plan::formats).toList();
    Node target =
        carries(Carrier.CODES) ? node : plan.quantized().graph().consumers(node.name()).get(0);
    UniformFormat to = plan.formats(target.name()).get(0);
    boolean affine =
        to instanceof AffineParameters
            || formats.stream().anyMatch(each -> each.get(0) instanceof AffineParameters);
    return List.of(affine ? scaledAdd(formats, target, to) : shiftedAdd(formats));
  }

  private Step scaledAdd(
      List<ImmutableList<UniformFormat>> formats, Node target, UniformFormat to) {
    ScaledRequantization.requireHalfEven(rounding());
    formats.forEach(
        each ->
            Checks.that(
                each.stream().distinct().count() == 1,
                "formats",
                "be one per value if one is affine",
                each));
    ScalarFunction clip =
        target.op() instanceof Activation activation
            ? activation.function()
            : ScalarFunction.identity();
    return new ScaledAddStep(
        node.name(),
        node.inputs(),
        target.name(),
        formats.stream().map(each -> each.get(0)).collect(toImmutableList()),
        to,
        clip);
  }

  private Step shiftedAdd(List<ImmutableList<UniformFormat>> formats) {
    int channels = formats.get(0).size();
    int[] finest = new int[channels];
    int[][] shifts = new int[formats.size()][channels];
    int bits = 0;
    for (int c = 0; c < channels; c++) {
      int channel = c;
      finest[c] = formats.stream().mapToInt(f -> length(f.get(channel))).max().orElse(0);
      AccumulatorBounds.Bound bound = new AccumulatorBounds.Bound(node.name(), 0);
      for (int i = 0; i < shifts.length; i++) {
        UniformFormat format = formats.get(i).get(c);
        shifts[i][c] = finest[c] - length(format);
        bound.add(1, AccumulatorBounds.maxAbs(format), shifts[i][c]);
      }
      bits = Math.max(bits, bound.bits());
    }
    AccumulatorFormat sums = new AccumulatorFormat.FixedPoint(ImmutableIntArray.copyOf(finest));
    return new AddStep(
        node.name(), node.inputs(), shifts, bits <= Integer.SIZE, plan.sink(node, sums, bits));
  }

  private static int length(UniformFormat format) {
    return AccumulatorBounds.fixedPoint(format).fractionalLength();
  }

  @Override
  public List<Step> concat(Concat op) {
    if (!carries(Carrier.CODES)) {
      return List.of();
    }
    ImmutableList<UniformFormat> to = plan.formats(node.name());
    ImmutableList.Builder<Requantization> formats = ImmutableList.builder();
    int start = 0;
    for (String input : node.inputs()) {
      ImmutableList<UniformFormat> from = plan.formats(input);
      int channels = from.size();
      formats.add(
          Requantization.of(
              Requantization.grid(from),
              to.subList(start, start + channels),
              ScalarFunction.identity(),
              rounding(),
              from.get(0).bitWidth() + 1));
      start += op.axis() == 0 ? channels : 0;
    }
    return List.of(new ConcatStep(node.name(), node.inputs(), op.axis(), formats.build()));
  }

  @Override
  public List<Step> softmax(Softmax op) {
    return List.of();
  }

  @Override
  public List<Step> floatFunction(FloatFunction op) {
    return List.of();
  }
}
