package org.dl4jquant.export.c;

import java.util.Arrays;
import java.util.List;
import java.util.stream.LongStream;
import org.dl4jquant.format.FixedPointFormat;
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
import org.dl4jquant.graph.Op;
import org.dl4jquant.graph.OpVisitor;
import org.dl4jquant.graph.Padding;
import org.dl4jquant.graph.Permute;
import org.dl4jquant.graph.QuantizedGraph.Carrier;
import org.dl4jquant.graph.QuantizedWeights;
import org.dl4jquant.graph.Reshape;
import org.dl4jquant.graph.Shape;
import org.dl4jquant.graph.Softmax;
import org.dl4jquant.graph.Upsample;
import org.dl4jquant.graph.Weighted;
import org.dl4jquant.graph.Window;
import org.dl4jquant.graph.ZeroPad;
import org.dl4jquant.internal.Checks;

/** Writes the statements of one node. */
final class CSteps implements OpVisitor<String> {
  private static final int MAX_MEAN_SHIFT = 20;

  private final CNodes nodes;
  private final CText text;
  private final Node node;

  CSteps(CNodes nodes, CText text, Node node) {
    this.nodes = nodes;
    this.text = text;
    this.node = node;
  }

  private String refused(Op op) {
    throw Checks.violated(
        "network",
        "consist of dense layers, convolutions, clipping activations, pooling, flattening and"
            + " additions, to become C source",
        op.kind() + " '" + node.name() + "'");
  }

  private static Shape input(CNodes nodes, Node node) {
    return nodes.shape(node.input());
  }

  @Override
  public String input(Input op) {
    return "";
  }

  private String weighted(Weighted op, String loops, Object... more) {
    QuantizedWeights weights =
        nodes
            .quantized()
            .weights(node.name())
            .orElseThrow(() -> Checks.violated("'" + node.name() + "'", "have codes", "floats"));
    Node target = nodes.target(node);
    String in = nodes.buffer(node.input());
    long[] shifted = nodes.shiftedWeights(node, op, weights);
    Object[] names = {
      "w", text.array("weight", Arrays.stream(shifted)),
      "b", text.array("bias", weights.bias().stream()),
      "rq", nodes.requantization(target, CNodes.grid(weights)),
      "t", nodes.sumType(node),
      "in", in,
      "out", nodes.newBuffer(target.name()),
      "O", op.outputChannels()
    };
    Object[] all = Arrays.copyOf(names, names.length + more.length);
    System.arraycopy(more, 0, all, names.length, more.length);
    text.statements("  /* @name@ */\n", "name", comment(node));
    text.statements(loops, all);
    return "";
  }

  static String comment(Node node) {
    return (node.op().kind() + " " + node.name()).replaceAll("[^A-Za-z0-9_ .-]", "_");
  }

  @Override
  public String dense(Dense op) {
    return weighted(
        op,
        """
          for (int o = 0; o < @O@; o++) {
            @t@ sum = (@t@)@b@[o];
            for (int i = 0; i < @I@; i++) {
              sum += (@t@)@in@[i] * (@t@)@w@[o * @I@ + i];
            }
            @out@[o] = @p@_requantize(sum, @rq@);
          }
        """,
        "I",
        op.inputChannels());
  }

  @Override
  public String convolution(Convolution op) {
    Shape in = input(nodes, node);
    Shape out = nodes.shape(node.name());
    Padding.Explicit pads = op.window().pads(in.height(), in.width());
    return weighted(
        op,
        """
          for (int o = 0; o < @O@; o++) {
            for (int y = 0; y < @OH@; y++) {
              for (int x = 0; x < @OW@; x++) {
                @t@ sum = (@t@)@b@[o];
                for (int c = 0; c < @C@; c++) {
                  for (int ky = 0; ky < @KH@; ky++) {
                    for (int kx = 0; kx < @KW@; kx++) {
                      int iy = y * @SY@ + ky * @DY@ - @PY@;
                      int ix = x * @SX@ + kx * @DX@ - @PX@;
                      if (iy >= 0 && iy < @H@ && ix >= 0 && ix < @W@) {
                        sum += (@t@)@in@[((o / @G@ * @C@ + c) * @H@ + iy) * @W@ + ix]
                            * (@t@)@w@[((o * @C@ + c) * @KH@ + ky) * @KW@ + kx];
                      }
                    }
                  }
                }
                @out@[(o * @OH@ + y) * @OW@ + x] = @p@_requantize(sum, @rq@);
              }
            }
          }
        """,
        with(
            window(op.window(), in, out, pads),
            "C",
            op.weight().size(1),
            "G",
            op.outputChannels() / op.groups()));
  }

  private static Object[] with(Object[] some, Object... more) {
    Object[] all = Arrays.copyOf(some, some.length + more.length);
    System.arraycopy(more, 0, all, some.length, more.length);
    return all;
  }

  private static Object[] window(Window window, Shape in, Shape out, Padding.Explicit pads) {
    return new Object[] {
      "OH",
      out.height(),
      "OW",
      out.width(),
      "H",
      in.height(),
      "W",
      in.width(),
      "KH",
      window.kernel().height(),
      "KW",
      window.kernel().width(),
      "SY",
      window.strides().height(),
      "SX",
      window.strides().width(),
      "DY",
      window.dilation().height(),
      "DX",
      window.dilation().width(),
      "PY",
      pads.top(),
      "PX",
      pads.left()
    };
  }

  @Override
  public String activation(Activation op) {
    if (nodes.quantized().carrier(node.input()) == Carrier.SUMS) {
      return "";
    }
    if (!op.function().clips()) {
      return refused(op);
    }
    return perElement(CNodes.lengths(nodes.formats(node.input())));
  }

  private String perElement(int[] lengths) {
    Shape shape = nodes.shape(node.name());
    String in = nodes.buffer(node.input());
    text.statements(
        """
          for (int o = 0; o < @O@; o++) {
            for (int i = o * @P@; i < (o + 1) * @P@; i++) {
              @out@[i] = @p@_requantize(@in@[i], @rq@);
            }
          }
        """,
        "O",
        shape.channels(),
        "P",
        shape.elements() / shape.channels(),
        "in",
        in,
        "rq",
        nodes.requantization(node, lengths),
        "out",
        nodes.newBuffer(node.name()));
    return "";
  }

  private String pooled(Window window, String take, String give) {
    Shape in = input(nodes, node);
    Shape out = nodes.shape(node.name());
    String from = nodes.buffer(node.input());
    Object[] names =
        with(
            window(window, in, out, window.pads(in.height(), in.width())),
            "O",
            in.channels(),
            "in",
            from,
            "out",
            nodes.newBuffer(node.name()));
    text.statements("  /* @name@ */\n", "name", comment(node));
    text.statements(
        """
          for (int o = 0; o < @O@; o++) {
            for (int y = 0; y < @OH@; y++) {
              for (int x = 0; x < @OW@; x++) {
                int met = 0;
                int64_t all = 0;
                for (int ky = 0; ky < @KH@; ky++) {
                  for (int kx = 0; kx < @KW@; kx++) {
                    int iy = y * @SY@ + ky * @DY@ - @PY@;
                    int ix = x * @SX@ + kx * @DX@ - @PX@;
                    if (iy >= 0 && iy < @H@ && ix >= 0 && ix < @W@) {
                      int64_t code = @in@[(o * @H@ + iy) * @W@ + ix];
                      @take@
                      met++;
                    }
                  }
                }
                @out@[(o * @OH@ + y) * @OW@ + x] = @give@;
              }
            }
          }
        """
            .replace("@take@", take)
            .replace("@give@", give),
        names);
    return "";
  }

  @Override
  public String maxPool(MaxPool op) {
    return pooled(op.window(), "all = met == 0 || code > all ? code : all;", "(@p@_code)all");
  }

  /** Returns the C expression of a mean's code. */
  private String mean(String count) {
    List<FixedPointFormat> from = nodes.formats(node.input());
    List<FixedPointFormat> to = nodes.formats(node.name());
    long[] shifts = new long[from.size()];
    for (int c = 0; c < shifts.length; c++) {
      shifts[c] = (long) to.get(c).fractionalLength() - from.get(c).fractionalLength();
      Checks.that(
          Math.abs(shifts[c]) <= MAX_MEAN_SHIFT,
          "formats around '" + node.name() + "'",
          "be at most 2^" + MAX_MEAN_SHIFT + " apart",
          "2^" + shifts[c]);
    }
    return "@p@_mean(all, %s, %s[o], %s[o], %s[o])"
        .formatted(
            count,
            text.array("shift", LongStream.of(shifts)),
            text.array("low", to.stream().mapToLong(FixedPointFormat::minCode)),
            text.array("high", to.stream().mapToLong(FixedPointFormat::maxCode)));
  }

  @Override
  public String averagePool(AveragePool op) {
    String count =
        op.countsPadding() ? Integer.toString(op.window().kernel().area()) : "met > 0 ? met : 1";
    return pooled(op.window(), "all += code;", mean(count));
  }

  @Override
  public String globalPool(GlobalPool op) {
    Shape in = input(nodes, node);
    int positions = in.elements() / in.channels();
    String take = "all += code;";
    String give;
    if (op.reduction() == GlobalPool.Reduction.MAX) {
      take = "all = i == 0 || code > all ? code : all;";
      give = "(@p@_code)all";
    } else if (op.reduction() == GlobalPool.Reduction.AVERAGE) {
      give = mean(Integer.toString(positions));
    } else {
      int[] lengths = CNodes.lengths(nodes.formats(node.input()));
      give = "@p@_requantize(all, " + nodes.requantization(node, lengths) + ")";
    }
    text.statements("  /* @name@ */\n", "name", comment(node));
    text.statements(
        """
          for (int o = 0; o < @O@; o++) {
            int64_t all = 0;
            for (int i = 0; i < @P@; i++) {
              int64_t code = @in@[o * @P@ + i];
              @take@
            }
            @out@[o] = @give@;
          }
        """
            .replace("@take@", take)
            .replace("@give@", give),
        "O",
        in.channels(),
        "P",
        positions,
        "in",
        nodes.buffer(node.input()),
        "out",
        nodes.newBuffer(node.name()));
    return "";
  }

  @Override
  public String flatten(Flatten op) {
    nodes.buffer(node.name(), nodes.buffer(node.input()));
    return "";
  }

  @Override
  public String reshape(Reshape op) {
    nodes.buffer(node.name(), nodes.buffer(node.input()));
    return "";
  }

  @Override
  public String add(Add op) {
    Node target = nodes.target(node);
    Shape shape = nodes.shape(node.name());
    int[] finest = new int[shape.channels()];
    Arrays.fill(finest, Integer.MIN_VALUE);
    List<int[]> lengths =
        node.inputs().stream().map(name -> CNodes.lengths(nodes.formats(name))).toList();
    lengths.forEach(own -> Arrays.setAll(finest, c -> Math.max(finest[c], own[c])));
    StringBuilder sum = new StringBuilder("0");
    for (int i = 0; i < lengths.size(); i++) {
      int[] own = lengths.get(i);
      long[] factors = new long[finest.length];
      Arrays.setAll(factors, c -> 1L << (finest[c] - own[c]));
      sum.append(
          " + (int64_t)%s[i] * %s[o]"
              .formatted(
                  nodes.buffer(node.inputs().get(i)),
                  text.array("factor", LongStream.of(factors))));
    }
    text.statements("  /* @name@ */\n", "name", comment(node));
    text.statements(
        """
          for (int o = 0; o < @O@; o++) {
            for (int i = o * @P@; i < (o + 1) * @P@; i++) {
              @out@[i] = @p@_requantize(@sum@, @rq@);
            }
          }
        """,
        "O",
        shape.channels(),
        "P",
        shape.elements() / shape.channels(),
        "sum",
        sum,
        "rq",
        nodes.requantization(target, finest),
        "out",
        nodes.newBuffer(target.name()));
    return "";
  }

  @Override
  public String softmax(Softmax op) {
    return "";
  }

  @Override
  public String deconvolution(Deconvolution op) {
    return refused(op);
  }

  @Override
  public String channelAffine(ChannelAffine op) {
    return refused(op);
  }

  @Override
  public String zeroPad(ZeroPad op) {
    return refused(op);
  }

  @Override
  public String crop(Crop op) {
    return refused(op);
  }

  @Override
  public String upsample(Upsample op) {
    return refused(op);
  }

  @Override
  public String permute(Permute op) {
    return refused(op);
  }

  @Override
  public String concat(Concat op) {
    return refused(op);
  }

  @Override
  public String floatFunction(FloatFunction op) {
    return refused(op);
  }
}
