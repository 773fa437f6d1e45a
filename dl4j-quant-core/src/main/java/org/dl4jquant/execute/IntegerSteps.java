package org.dl4jquant.execute;

import com.google.common.collect.ImmutableList;
import java.util.List;
import org.dl4jquant.format.FixedPointFormat;
import org.dl4jquant.format.Rounding;
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

  static SumSink codes(IntegerPlan plan, String target, int[] lengths, int bits) {
    return codes(plan, target, ScalarFunction.identity(), lengths, bits);
  }

  static SumSink clipped(IntegerPlan plan, Node activation, int[] lengths, int bits) {
    ScalarFunction function = ((Activation) activation.op()).function();
    return codes(plan, activation.name(), function, lengths, bits);
  }

  private static SumSink codes(
      IntegerPlan plan, String target, ScalarFunction clip, int[] lengths, int bits) {
    return new SumSink.Codes(
        target,
        new Requantization(
            lengths,
            plan.formats(target, lengths.length),
            clip,
            plan.quantized().rounding(),
            bits));
  }

  private static int[] lengths(ImmutableList<FixedPointFormat> formats) {
    return formats.stream().mapToInt(FixedPointFormat::fractionalLength).toArray();
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
              int[] grid = IntegerPlan.lengths(weights.accumulator());
              return List.of(weighted.step(plan.sink(node, grid, weighted.bits())));
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
    ImmutableList<FixedPointFormat> from = plan.formats(node.input());
    if (op.function().clips()) {
      int bits = from.get(0).bitWidth() + 1;
      return List.of(
          new ClipStep(node.name(), node.input(), clipped(plan, node, lengths(from), bits)));
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
    return new Quotient(plan.formats(node.input()), plan.formats(node.name()), rounding());
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
    List<ImmutableList<FixedPointFormat>> formats =
        node.inputs().stream().map(plan::formats).toList();
    int channels = formats.get(0).size();
    int[] finest = new int[channels];
    int[][] shifts = new int[formats.size()][channels];
    int bits = 0;
    for (int c = 0; c < channels; c++) {
      int channel = c;
      finest[c] = formats.stream().mapToInt(f -> f.get(channel).fractionalLength()).max().orElse(0);
      AccumulatorBounds.Bound bound = new AccumulatorBounds.Bound(node.name(), 0);
      for (int i = 0; i < shifts.length; i++) {
        FixedPointFormat format = formats.get(i).get(c);
        shifts[i][c] = finest[c] - format.fractionalLength();
        bound.add(1, AccumulatorBounds.maxAbs(format), shifts[i][c]);
      }
      bits = Math.max(bits, bound.bits());
    }
    boolean ints = bits <= Integer.SIZE;
    return List.of(
        new AddStep(node.name(), node.inputs(), shifts, ints, plan.sink(node, finest, bits)));
  }

  @Override
  public List<Step> concat(Concat op) {
    if (!carries(Carrier.CODES)) {
      return List.of();
    }
    ImmutableList<FixedPointFormat> to = plan.formats(node.name());
    ImmutableList.Builder<Requantization> formats = ImmutableList.builder();
    int start = 0;
    for (String input : node.inputs()) {
      ImmutableList<FixedPointFormat> from = plan.formats(input);
      int channels = from.size();
      formats.add(
          new Requantization(
              lengths(from),
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
