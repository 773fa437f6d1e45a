package org.dl4jquant.execute;

import com.google.common.collect.ImmutableList;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntFunction;
import org.dl4jquant.format.FixedPointFormat;
import org.dl4jquant.format.Granularity;
import org.dl4jquant.format.LogFormat;
import org.dl4jquant.format.Rounding;
import org.dl4jquant.graph.AccumulatorFormat;
import org.dl4jquant.graph.Activation;
import org.dl4jquant.graph.ActivationFormat;
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
import org.dl4jquant.graph.QuantizedGraph;
import org.dl4jquant.graph.QuantizedGraph.Carrier;
import org.dl4jquant.graph.QuantizedWeights;
import org.dl4jquant.graph.Reshape;
import org.dl4jquant.graph.Shape;
import org.dl4jquant.graph.Softmax;
import org.dl4jquant.graph.Upsample;
import org.dl4jquant.graph.Weighted;
import org.dl4jquant.graph.Window;
import org.dl4jquant.graph.ZeroPad;
import org.dl4jquant.tensor.Tensor;

/**
 * What an integer network must compute, said as directly as possible: every value is a real number,
 * kept exactly as an integer times 2^-{@value #SCALE}; numbers are rounded where the contract says.
 */
final class Oracle {
  private static final int SCALE = 320;

  private final QuantizedGraph quantized;
  private final Map<String, Shape> shapes = new LinkedHashMap<>();
  private final Map<String, BigInteger[]> values = new LinkedHashMap<>();
  private final int batch;

  Oracle(QuantizedGraph quantized, Map<String, Tensor> inputs) {
    this.quantized = quantized;
    this.batch = inputs.values().iterator().next().size(0);
    for (Node node : quantized.graph().nodes()) {
      String name = node.name();
      BigInteger[] computed;
      if (node.op() instanceof Input) {
        Tensor tensor = inputs.get(name);
        shapes.put(name, Shape.ofBatch(tensor.shape()));
        computed = new BigInteger[tensor.length()];
        for (int i = 0; i < computed.length; i++) {
          computed[i] = exact(tensor.values()[i]);
        }
      } else {
        ImmutableList<Shape> in =
            node.inputs().stream().map(shapes::get).collect(ImmutableList.toImmutableList());
        shapes.put(name, node.op().outputShape(in));
        computed = node.op().accept(new Values(node));
      }
      values.put(name, rounded(name, computed));
    }
  }

  private BigInteger[] rounded(String name, BigInteger[] exact) {
    if (quantized.format(name).isEmpty()) {
      return exact;
    }
    BigInteger[] rounded = new BigInteger[exact.length];
    for (int i = 0; i < exact.length; i++) {
      FixedPointFormat own = formatOf(quantized.format(name).get(), name, i);
      long code = code(exact[i], own);
      rounded[i] = value(level(code, quantized.format(name).get()), own.fractionalLength());
    }
    return rounded;
  }

  /** Returns the code nearest to the level of a code, or the code if it is that of a level. */
  private static long level(long code, ActivationFormat format) {
    if (format.levels().isEmpty()) {
      return code;
    }
    LogFormat log = format.levels().get();
    FixedPointFormat grid = (FixedPointFormat) format.formats().get(0);
    for (long level = 0; level < log.levels(); level++) {
      if (Math.rint(log.dequantize(level) / grid.step()) == code) {
        return code;
      }
    }
    return (long) Math.rint(log.fakeQuantize(code * grid.step()) / grid.step());
  }

  private FixedPointFormat formatOf(ActivationFormat format, String node, int i) {
    int channel = 0;
    if (format.granularity() instanceof Granularity.PerChannel axes) {
      int[] shape = shapes.get(node).withBatch(batch);
      int axis = axes.axes().get(0);
      int inner = 1;
      for (int a = axis + 1; a < shape.length; a++) {
        inner *= shape[a];
      }
      channel = i / inner % shape[axis];
    }
    return (FixedPointFormat) format.formats().get(channel);
  }

  /** Returns the codes of a node's value. */
  int[] codes(String node) {
    BigInteger[] exact = values.get(node);
    int[] codes = new int[exact.length];
    for (int i = 0; i < codes.length; i++) {
      FixedPointFormat format = formatOf(quantized.format(node).orElseThrow(), node, i);
      codes[i] = exact[i].shiftRight(SCALE - format.fractionalLength()).intValueExact();
    }
    return codes;
  }

  float[] floats(String node) {
    BigInteger[] exact = values.get(node);
    float[] floats = new float[exact.length];
    for (int i = 0; i < floats.length; i++) {
      floats[i] = (float) toDouble(exact[i]);
    }
    return floats;
  }

  private static double toDouble(BigInteger value) {
    return new BigDecimal(value)
        .divide(new BigDecimal(BigInteger.ONE.shiftLeft(SCALE)))
        .doubleValue();
  }

  private static BigInteger exact(double value) {
    return new BigDecimal(value)
        .multiply(new BigDecimal(BigInteger.ONE.shiftLeft(SCALE)))
        .toBigIntegerExact();
  }

  private static BigInteger value(long code, int fractionalLength) {
    return BigInteger.valueOf(code).shiftLeft(SCALE - fractionalLength);
  }

  /** Rounds {@code value * 2^fractionalLength} to an integer. */
  private BigInteger round(BigInteger value, int fractionalLength) {
    return quotient(value.shiftLeft(fractionalLength + 64), BigInteger.ONE.shiftLeft(SCALE + 64));
  }

  private BigInteger quotient(BigInteger numerator, BigInteger denominator) {
    BigInteger[] parts = numerator.divideAndRemainder(denominator);
    BigInteger floor = parts[1].signum() < 0 ? parts[0].subtract(BigInteger.ONE) : parts[0];
    BigInteger rest = numerator.subtract(floor.multiply(denominator)).shiftLeft(1);
    int half = rest.compareTo(denominator);
    boolean tieUp = quantized.rounding().equals(Rounding.HALF_UP) || floor.testBit(0);
    return half > 0 || (half == 0 && tieUp) ? floor.add(BigInteger.ONE) : floor;
  }

  private long code(BigInteger value, FixedPointFormat format) {
    return round(value, format.fractionalLength())
        .max(BigInteger.valueOf(format.minCode()))
        .min(BigInteger.valueOf(format.maxCode()))
        .longValueExact();
  }

  /** One method per operation, all channels first, element by element. */
  private final class Values implements OpVisitor<BigInteger[]> {
    private final Node node;
    private final Shape in;
    private final Shape out;
    private final BigInteger[] x;

    Values(Node node) {
      this.node = node;
      this.in = shapes.get(node.inputs().get(0));
      this.out = shapes.get(node.name());
      this.x = values.get(node.inputs().get(0));
    }

    private interface At {
      BigInteger at(int n, int c, int y, int x);
    }

    private BigInteger[] each(At at) {
      BigInteger[] all = new BigInteger[batch * out.elements()];
      int i = 0;
      for (int n = 0; n < batch; n++) {
        for (int c = 0; c < out.channels(); c++) {
          for (int y = 0; y < out.height(); y++) {
            for (int w = 0; w < out.width(); w++) {
              all[i++] = at.at(n, c, y, w);
            }
          }
        }
      }
      return all;
    }

    private boolean inside(int y, int w) {
      return y >= 0 && w >= 0 && y < in.height() && w < in.width();
    }

    private BigInteger x(int n, int c, int y, int w) {
      return inside(y, w)
          ? x[((n * in.channels() + c) * in.height() + y) * in.width() + w]
          : BigInteger.ZERO;
    }

    @Override
    public BigInteger[] input(Input op) {
      return x;
    }

    private interface Taps {
      BigInteger sum(int j, int slice, IntFunction<BigInteger> weight);
    }

    /** The bias plus the slices' sums, each of which is rounded if its grid is finer. */
    private BigInteger weighted(Weighted op, int j, Taps taps) {
      QuantizedWeights weights = quantized.weights(node.name()).orElseThrow();
      int grid = ((AccumulatorFormat.FixedPoint) weights.accumulator()).fractionalLengths().get(j);
      int[] codes = weights.weight().codes();
      BigInteger sum = value(weights.bias().get(j), grid);
      int area = codes.length / op.outputChannels() / op.slices();
      for (int s = 0; s < op.slices(); s++) {
        int slice = s;
        int length = ((FixedPointFormat) weights.sliceFormat(j, s)).fractionalLength();
        BigInteger part =
            taps.sum(j, s, k -> BigInteger.valueOf(codes[(j * op.slices() + slice) * area + k]));
        // part is a sum of codes times values: put the weight's grid in
        BigInteger exact = length >= 0 ? part.shiftRight(length) : part.shiftLeft(-length);
        sum = sum.add(value(round(exact, grid).longValueExact(), grid));
      }
      return sum;
    }

    @Override
    public BigInteger[] dense(Dense op) {
      return each(
          (n, c, y, w) ->
              weighted(op, c, (j, s, weight) -> weight.apply(0).multiply(x(n, s, 0, 0))));
    }

    @Override
    public BigInteger[] convolution(Convolution op) {
      Window window = op.window();
      Padding.Explicit pads = window.pads(in.height(), in.width());
      int outs = op.outputChannels() / op.groups();
      return each(
          (n, c, y, w) ->
              weighted(
                  op,
                  c,
                  (j, s, weight) -> {
                    BigInteger sum = BigInteger.ZERO;
                    int channel = j / outs * op.slices() + s;
                    for (int ky = 0; ky < window.kernel().height(); ky++) {
                      for (int kx = 0; kx < window.kernel().width(); kx++) {
                        int iy =
                            y * op.strides().height() + ky * op.dilation().height() - pads.top();
                        int ix =
                            w * op.strides().width() + kx * op.dilation().width() - pads.left();
                        BigInteger value = x(n, channel, iy, ix);
                        sum =
                            sum.add(
                                weight.apply(ky * window.kernel().width() + kx).multiply(value));
                      }
                    }
                    return sum;
                  }));
    }

    @Override
    public BigInteger[] deconvolution(Deconvolution op) {
      Window window = op.window();
      return each(
          (n, c, y, w) ->
              weighted(
                  op,
                  c,
                  (j, s, weight) -> {
                    BigInteger sum = BigInteger.ZERO;
                    for (int iy = 0; iy < in.height(); iy++) {
                      for (int ix = 0; ix < in.width(); ix++) {
                        for (int k = 0; k < window.kernel().area(); k++) {
                          int ky = k / window.kernel().width();
                          int kx = k % window.kernel().width();
                          boolean hits =
                              iy * op.strides().height()
                                          + ky * op.dilation().height()
                                          - op.cut().top()
                                      == y
                                  && ix * op.strides().width()
                                          + kx * op.dilation().width()
                                          - op.cut().left()
                                      == w;
                          sum = hits ? sum.add(weight.apply(k).multiply(x(n, s, iy, ix))) : sum;
                        }
                      }
                    }
                    return sum;
                  }));
    }

    @Override
    public BigInteger[] channelAffine(ChannelAffine op) {
      int positions = in.elements() / in.channels();
      BigInteger[] y = new BigInteger[x.length];
      for (int i = 0; i < y.length; i++) {
        BigInteger value = x[i];
        y[i] =
            weighted(
                op,
                i / positions % in.channels(),
                (j, s, weight) -> weight.apply(0).multiply(value));
      }
      return y;
    }

    @Override
    public BigInteger[] activation(Activation op) {
      return Arrays.stream(x)
          .map(
              v -> {
                if (!op.function().clips()) {
                  return exact((float) op.function().apply(toDouble(v)));
                }
                double low = op.function().lowest();
                double high = op.function().highest();
                BigInteger clipped = Double.isInfinite(low) ? v : v.max(exact(low));
                return Double.isInfinite(high) ? clipped : clipped.min(exact(high));
              })
          .toArray(BigInteger[]::new);
    }

    @Override
    public BigInteger[] maxPool(MaxPool op) {
      return each(
          (n, c, y, w) ->
              elements(op.window(), n, c, y, w).stream()
                  .max(BigInteger::compareTo)
                  .orElse(BigInteger.ZERO));
    }

    private List<BigInteger> elements(Window window, int n, int c, int y, int w) {
      List<BigInteger> met = new ArrayList<>();
      Padding.Explicit pads = window.pads(in.height(), in.width());
      for (int k = 0; k < window.kernel().area(); k++) {
        int iy =
            y * window.strides().height()
                + k / window.kernel().width() * window.dilation().height()
                - pads.top();
        int ix =
            w * window.strides().width()
                + k % window.kernel().width() * window.dilation().width()
                - pads.left();
        if (inside(iy, ix)) {
          met.add(x(n, c, iy, ix));
        }
      }
      return met;
    }

    /** A mean is rounded as a quotient, so it is left to be rounded here. */
    private BigInteger mean(List<BigInteger> elements, int count, int c) {
      BigInteger sum = elements.stream().reduce(BigInteger.ZERO, BigInteger::add);
      FixedPointFormat format =
          (FixedPointFormat)
              quantized.format(node.name()).orElseThrow().ofChannels(out.channels()).get(c);
      BigInteger rounded =
          quotient(
              sum.shiftLeft(format.fractionalLength() + 64),
              BigInteger.ONE.shiftLeft(SCALE + 64).multiply(BigInteger.valueOf(count)));
      return rounded.shiftLeft(SCALE - format.fractionalLength());
    }

    @Override
    public BigInteger[] averagePool(AveragePool op) {
      return each(
          (n, c, y, w) -> {
            List<BigInteger> met = elements(op.window(), n, c, y, w);
            int count = op.countsPadding() ? op.window().kernel().area() : Math.max(1, met.size());
            return mean(met, count, c);
          });
    }

    @Override
    public BigInteger[] globalPool(GlobalPool op) {
      BigInteger[] y = new BigInteger[batch * out.channels()];
      int positions = in.elements() / in.channels();
      for (int i = 0; i < y.length; i++) {
        List<BigInteger> all = Arrays.asList(x).subList(i * positions, (i + 1) * positions);
        y[i] =
            switch (op.reduction()) {
              case MAX -> all.stream().max(BigInteger::compareTo).orElseThrow();
              case SUM -> mean(all, 1, i % out.channels());
              case AVERAGE -> mean(all, positions, i % out.channels());
            };
      }
      return y;
    }

    @Override
    public BigInteger[] zeroPad(ZeroPad op) {
      return each((n, c, y, w) -> x(n, c, y - op.amounts().top(), w - op.amounts().left()));
    }

    @Override
    public BigInteger[] crop(Crop op) {
      return each((n, c, y, w) -> x(n, c, y + op.amounts().top(), w + op.amounts().left()));
    }

    @Override
    public BigInteger[] upsample(Upsample op) {
      return each((n, c, y, w) -> x(n, c, y / op.factor().height(), w / op.factor().width()));
    }

    @Override
    public BigInteger[] flatten(Flatten op) {
      return x;
    }

    @Override
    public BigInteger[] reshape(Reshape op) {
      return x;
    }

    @Override
    public BigInteger[] permute(Permute op) {
      return each(
          (n, c, y, w) -> {
            int[] to = out.rank() == 3 ? new int[] {c, y, w} : new int[] {c, w};
            int[] from = new int[to.length];
            for (int axis = 0; axis < to.length; axis++) {
              from[op.axes().get(axis)] = to[axis];
            }
            return out.rank() == 3 ? x(n, from[0], from[1], from[2]) : x(n, from[0], 0, from[1]);
          });
    }

    @Override
    public BigInteger[] add(Add op) {
      BigInteger[] sum = x.clone();
      for (String other : node.inputs().subList(1, node.inputs().size())) {
        for (int i = 0; i < sum.length; i++) {
          sum[i] = sum[i].add(values.get(other)[i]);
        }
      }
      return sum;
    }

    @Override
    public BigInteger[] concat(Concat op) {
      List<BigInteger> joined = new ArrayList<>();
      concat(op.axis(), -1, new int[node.inputs().size()], joined);
      return joined.toArray(BigInteger[]::new);
    }

    /** Walks the axes up to the joined one; there, each input gives its share in turn. */
    private void concat(int axis, int depth, int[] at, List<BigInteger> joined) {
      if (depth < axis - 1) {
        int size = depth < 0 ? 0 : out.size(depth);
        int steps = depth == -1 ? batch : size;
        for (int i = 0; i < steps; i++) {
          concat(axis, depth + 1, at, joined);
        }
        return;
      }
      int repeats = depth == -1 ? batch : out.size(depth);
      for (int r = 0; r < repeats; r++) {
        for (int k = 0; k < at.length; k++) {
          Shape shape = shapes.get(node.inputs().get(k));
          int block = 1;
          for (int a = axis; a < shape.rank(); a++) {
            block *= shape.size(a);
          }
          for (int i = 0; i < block; i++) {
            joined.add(values.get(node.inputs().get(k))[at[k]++]);
          }
        }
      }
    }

    private Tensor tensor(String name) {
      return Tensor.of(floats(name), shapes.get(name).withBatch(batch));
    }

    @Override
    public BigInteger[] softmax(Softmax op) {
      throw new UnsupportedOperationException("see FloatNetworkTest");
    }

    @Override
    public BigInteger[] floatFunction(FloatFunction op) {
      Tensor y = op.kernel().apply(ImmutableList.of(tensor(node.input())));
      BigInteger[] all = new BigInteger[y.length()];
      for (int i = 0; i < all.length; i++) {
        all[i] = exact(y.values()[i]);
      }
      return all;
    }
  }

  /** Returns the nodes whose values an integer network carries as codes. */
  List<String> coded() {
    return quantized.graph().nodes().stream()
        .map(Node::name)
        .filter(name -> quantized.carrier(name) == Carrier.CODES)
        .toList();
  }
}
