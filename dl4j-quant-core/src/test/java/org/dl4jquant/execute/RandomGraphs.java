package org.dl4jquant.execute;

import com.google.common.collect.ImmutableList;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.dl4jquant.format.AffineParameters;
import org.dl4jquant.format.FixedPointFormat;
import org.dl4jquant.format.Granularity;
import org.dl4jquant.format.GridLevels;
import org.dl4jquant.format.LogFormat;
import org.dl4jquant.format.Rounding;
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
import org.dl4jquant.graph.Extent;
import org.dl4jquant.graph.Flatten;
import org.dl4jquant.graph.FloatFunction;
import org.dl4jquant.graph.GlobalPool;
import org.dl4jquant.graph.MaxPool;
import org.dl4jquant.graph.NetworkGraph;
import org.dl4jquant.graph.Node;
import org.dl4jquant.graph.Op;
import org.dl4jquant.graph.Padding;
import org.dl4jquant.graph.Permute;
import org.dl4jquant.graph.QuantizedGraph;
import org.dl4jquant.graph.QuantizedWeights;
import org.dl4jquant.graph.Reshape;
import org.dl4jquant.graph.ScalarFunction;
import org.dl4jquant.graph.Shape;
import org.dl4jquant.graph.Upsample;
import org.dl4jquant.graph.Weighted;
import org.dl4jquant.graph.Window;
import org.dl4jquant.graph.ZeroPad;
import org.dl4jquant.tensor.QuantizedTensor;
import org.dl4jquant.tensor.Tensor;

/** Networks of random operations, topology and formats. */
public final class RandomGraphs {
  /** Levels that several values of a network are likely to have. */
  private static final GridLevels TIED = GridLevels.of(new LogFormat(16, -30, 2), 8);

  private final Random random;
  private final Map<String, Shape> shapes = new LinkedHashMap<>();
  private final List<Node> nodes = new ArrayList<>();
  private final List<String> unformatted = new ArrayList<>();
  private final boolean perChannel;
  private final boolean affine;
  private final boolean logarithmic;

  private RandomGraphs(long seed, boolean perChannel, boolean affine, boolean logarithmic) {
    this.random = new Random(seed);
    this.perChannel = perChannel;
    this.affine = affine;
    this.logarithmic = logarithmic;
  }

  /** A quantized graph of {@code size} operations or fewer on the one input "in". */
  public static QuantizedGraph graph(long seed, int size, boolean perChannel) {
    return new RandomGraphs(seed, perChannel, false, false).build(size);
  }

  /** The same with affine formats. */
  public static QuantizedGraph affine(long seed, int size) {
    return new RandomGraphs(seed, false, true, false).build(size);
  }

  /** The same with logarithmic values among those of fixed point. */
  public static QuantizedGraph logarithmic(long seed, int size) {
    return new RandomGraphs(seed, false, false, true).build(size);
  }

  /** A batch of random values. */
  public static Tensor input(QuantizedGraph graph, int batch, long seed) {
    return random(new Random(seed), 1.5, graph.graph().shape("in").withBatch(batch));
  }

  /** Normal values. */
  public static Tensor random(Random random, double scale, int... shape) {
    Tensor tensor = Tensor.zeros(shape);
    for (int i = 0; i < tensor.length(); i++) {
      tensor.values()[i] = (float) (random.nextGaussian() * scale);
    }
    return tensor;
  }

  private QuantizedGraph build(int size) {
    Shape in =
        switch (random.nextInt(4)) {
          case 0 -> Shape.of(2 + random.nextInt(6));
          case 1 -> Shape.of(1 + random.nextInt(4), 4 + random.nextInt(5));
          default -> Shape.of(1 + random.nextInt(4), 3 + random.nextInt(5), 3 + random.nextInt(5));
        };
    NetworkGraph.Builder builder = NetworkGraph.builder().input("in", in.sizes().toArray());
    shapes.put("in", in);
    for (int i = 0; i < size; i++) {
      add(i);
    }
    nodes.forEach(builder::add);
    Node last = nodes.get(nodes.size() - 1);
    return quantized(builder.output(last.name()).build());
  }

  private void add(int i) {
    List<String> names = new ArrayList<>(shapes.keySet());
    names.removeAll(unformatted);
    String from = names.get(random.nextInt(names.size()));
    Shape in = shapes.get(from);
    List<String> inputs = new ArrayList<>(List.of(from));
    Op op = op(in, inputs, names);
    Shape out;
    try {
      out =
          op.outputShape(inputs.stream().map(shapes::get).collect(ImmutableList.toImmutableList()));
    } catch (IllegalArgumentException e) {
      add(i);
      return;
    }
    if (out.elements() > 400) {
      add(i);
      return;
    }
    String name = op.kind() + i;
    nodes.add(new Node(name, op, ImmutableList.copyOf(inputs), name));
    shapes.put(name, out);
    boolean sums = op instanceof Weighted || op instanceof Add;
    if (sums && random.nextInt(3) == 0) {
      unformatted.add(name);
      ScalarFunction[] clips = {
        ScalarFunction.relu(),
        ScalarFunction.relu6(),
        ScalarFunction.identity(),
        new ScalarFunction.Clip(-0.7, 1.3)
      };
      String next = name + "/clip";
      Op clip = new Activation(clips[random.nextInt(clips.length)]);
      nodes.add(new Node(next, clip, ImmutableList.of(name), name));
      shapes.put(next, out);
    } else if (op instanceof Weighted && random.nextInt(8) == 0) {
      unformatted.add(name); // sums leave as floats
    }
  }

  private Extent extent(Shape in, int max) {
    return new Extent(in.rank() == 3 ? 1 + random.nextInt(max) : 1, 1 + random.nextInt(max));
  }

  private Padding padding(Shape in, Extent kernel) {
    int vertical = in.rank() == 3 ? random.nextInt(kernel.height()) : 0;
    return switch (random.nextInt(4)) {
      case 0 -> Padding.SAME;
      case 1 -> in.rank() == 2 ? Padding.CAUSAL : Padding.NONE;
      case 2 -> new Padding.Explicit(vertical, 0, 0, random.nextInt(kernel.width()));
      default -> Padding.symmetric(vertical, random.nextInt(kernel.width()));
    };
  }

  private Padding.Explicit amounts(Shape in) {
    boolean flat = in.rank() == 2;
    return new Padding.Explicit(
        flat ? 0 : random.nextInt(2),
        random.nextInt(2),
        flat ? 0 : random.nextInt(2),
        random.nextInt(3));
  }

  private Op op(Shape in, List<String> inputs, List<String> names) {
    int c = in.channels();
    int kind = random.nextInt(20);
    if (in.rank() == 1 && kind < 12) {
      kind = 12 + random.nextInt(8);
    }
    Extent kernel = extent(in, 3);
    int out = 1 + random.nextInt(6);
    switch (kind) {
      case 0, 1, 2 -> {
        Tensor weight = random(random, 0.5, out, c, kernel.height(), kernel.width());
        return new Convolution(
            weight, bias(out), extent(in, 2), extent(in, 2), padding(in, kernel), 1);
      }
      case 3, 4 -> {
        boolean halves = c % 2 == 0 && random.nextBoolean();
        int groups = halves ? 2 : c;
        int outputs = groups * (1 + random.nextInt(2));
        Tensor weight = random(random, 0.5, outputs, c / groups, kernel.height(), kernel.width());
        return new Convolution(
            weight, bias(outputs), extent(in, 2), extent(in, 2), padding(in, kernel), groups);
      }
      case 5 -> {
        Tensor weight = random(random, 0.5, out, c, kernel.height(), kernel.width());
        Padding padding = random.nextBoolean() ? Padding.SAME : Padding.NONE;
        return new Deconvolution(weight, bias(out), extent(in, 2), extent(in, 2), padding);
      }
      case 6 -> {
        return new MaxPool(
            new Window(kernel, extent(in, 2), extent(in, 2), poolPadding(in, kernel)));
      }
      case 7 -> {
        return new AveragePool(
            Window.of(kernel, extent(in, 2), poolPadding(in, kernel)), random.nextBoolean());
      }
      case 8 -> {
        return random.nextBoolean() ? new ZeroPad(amounts(in)) : new Crop(amounts(in));
      }
      case 9 -> {
        return new Upsample(extent(in, 2));
      }
      case 10 -> {
        GlobalPool.Reduction[] all = GlobalPool.Reduction.values();
        return new GlobalPool(all[random.nextInt(all.length)]);
      }
      case 11 -> {
        if (perChannel) {
          return new Flatten();
        }
        return in.rank() == 3 ? Permute.of(1, 2, 0) : Permute.of(1, 0);
      }
      case 12 -> {
        return new ChannelAffine(random(random, 0.8, c), bias(c));
      }
      case 13, 14 -> {
        names.stream()
            .filter(n -> shapes.get(n).equals(in))
            .skip(random.nextInt(3))
            .findFirst()
            .ifPresent(inputs::add);
        inputs.add(inputs.get(inputs.size() - 1));
        return new Add();
      }
      case 15 -> {
        int axis = random.nextInt(in.rank());
        names.stream()
            .filter(n -> shapes.get(n).rank() == in.rank())
            .skip(random.nextInt(3))
            .findFirst()
            .ifPresent(inputs::add);
        return new Concat(axis);
      }
      case 16 -> {
        return new Activation(
            switch (random.nextInt(5)) {
              case 0 -> new ScalarFunction.LeakyRelu(0.1);
              case 1 -> ScalarFunction.HardSigmoid.DL4J;
              case 2 -> ScalarFunction.Smooth.SIGMOID;
              case 3 -> ScalarFunction.Smooth.TANH;
              default -> ScalarFunction.relu();
            });
      }
      case 17 -> {
        return new FloatFunction("Affine", "it is a test", new Affine());
      }
      case 18 -> {
        return in.rank() == 1 && in.channels() % 2 == 0 && !perChannel
            ? new Reshape(Shape.of(2, Shape.UNKNOWN))
            : new Flatten();
      }
      default -> {
        return in.rank() == 1 ? new Dense(random(random, 0.5, out, c), bias(out)) : new Flatten();
      }
    }
  }

  private Padding poolPadding(Shape in, Extent kernel) {
    Padding padding = padding(in, kernel);
    return padding.equals(Padding.CAUSAL) ? Padding.SAME : padding;
  }

  private Tensor bias(int outputs) {
    return random(random, random.nextInt(3) == 0 ? 0 : 0.5, outputs);
  }

  private static final class Affine implements FloatFunction.Kernel {
    @Override
    public Shape outputShape(ImmutableList<Shape> inputs) {
      return inputs.get(0);
    }

    @Override
    public Tensor apply(ImmutableList<Tensor> inputs) {
      Tensor y = Tensor.zeros(inputs.get(0).shape());
      for (int i = 0; i < y.length(); i++) {
        y.values()[i] = inputs.get(0).values()[i] * 0.7f + 0.1f;
      }
      return y;
    }
  }

  private QuantizedGraph quantized(NetworkGraph graph) {
    QuantizedGraph.Builder builder = QuantizedGraph.builder(graph);
    boolean up = random.nextInt(3) == 0 && !affine;
    builder.rounding(up ? Rounding.HALF_UP : Rounding.HALF_EVEN);
    QuantizedGraph so = builder.format("in", format(graph, "in")).build();
    for (Node node : graph.nodes()) {
      String name = node.name();
      if (node.op() instanceof Weighted op) {
        ActivationFormat input = so.format(node.input()).orElseThrow();
        builder.weights(
            name,
            affine
                ? QuantizedWeights.onProductGrid(op, affineWeights(op), input, Rounding.HALF_EVEN)
                : QuantizedWeights.onFinestGrid(
                    op,
                    weights(op),
                    input,
                    Rounding.HALF_EVEN,
                    random.nextBoolean() ? 32 : 4 + random.nextInt(8)));
      }
      if (!node.op().keepsCodes() && !unformatted.contains(name)) {
        builder.format(name, format(graph, name));
      }
      so = builder.build();
    }
    return so;
  }

  private QuantizedTensor weights(Weighted op) {
    int bits = 2 + random.nextInt(15);
    Granularity granularity =
        op.weight().rank() > 1 && random.nextBoolean()
            ? Granularity.perChannel(0, 1)
            : random.nextBoolean() ? Granularity.perChannel(0) : Granularity.perTensor();
    int channels = granularity.channels(op.weight().shape());
    List<FixedPointFormat> formats = new ArrayList<>();
    for (int i = 0; i < channels; i++) {
      formats.add(FixedPointFormat.signed(bits, bits - 2 + random.nextInt(4) - 2));
    }
    return QuantizedTensor.quantize(op.weight(), granularity, formats, Rounding.HALF_EVEN);
  }

  private QuantizedTensor affineWeights(Weighted op) {
    int bits = 2 + random.nextInt(7);
    Granularity granularity =
        random.nextInt(3) > 0 ? Granularity.perChannel(0) : Granularity.perTensor();
    int channels = granularity.channels(op.weight().shape());
    List<AffineParameters> formats = new ArrayList<>();
    for (int i = 0; i < channels; i++) {
      float scale = (float) Math.scalb(1 + random.nextDouble(), -bits + random.nextInt(3));
      formats.add(new AffineParameters(bits, scale, 0, true));
    }
    return QuantizedTensor.quantize(op.weight(), granularity, formats, Rounding.HALF_EVEN);
  }

  private AffineParameters affineFormat() {
    int bits = random.nextInt(4) == 0 ? 9 + random.nextInt(4) : 4 + random.nextInt(5);
    boolean signed = random.nextBoolean();
    float scale = (float) Math.scalb(1 + random.nextDouble(), 2 - bits + random.nextInt(2));
    long lowest = signed ? -(1L << (bits - 1)) : 0;
    long zeroPoint =
        switch (random.nextInt(4)) {
          case 0 -> lowest;
          case 1 -> signed ? 0 : 1L << (bits - 1);
          default -> lowest + random.nextInt(1 << bits);
        };
    return new AffineParameters(bits, scale, zeroPoint, signed);
  }

  private GridLevels levels() {
    int levels = 2 + random.nextInt(40);
    int halfStep = 1 + random.nextInt(8);
    int top = random.nextInt(60) - 10;
    LogFormat format = new LogFormat(levels, top - 2 * halfStep * (levels - 2), halfStep);
    return GridLevels.of(format, random.nextInt(3) > 0 ? 8 : 9 + random.nextInt(8));
  }

  private ActivationFormat format(NetworkGraph graph, String name) {
    if (affine) {
      return ActivationFormat.perTensor(affineFormat());
    }
    if (logarithmic && random.nextInt(3) > 0) {
      return ActivationFormat.logarithmic(random.nextBoolean() ? TIED : levels());
    }
    int bits = random.nextInt(4) == 0 ? 9 + random.nextInt(8) : 4 + random.nextInt(5);
    boolean signed = random.nextInt(4) != 0;
    int channels = perChannel ? graph.shape(name).channels() : 1;
    List<FixedPointFormat> formats = new ArrayList<>();
    for (int i = 0; i < channels; i++) {
      formats.add(new FixedPointFormat(bits, bits - 3 + random.nextInt(5) - 2, signed, false));
    }
    return channels == 1 && !perChannel
        ? ActivationFormat.perTensor(formats.get(0))
        : ActivationFormat.perChannel(formats);
  }
}
