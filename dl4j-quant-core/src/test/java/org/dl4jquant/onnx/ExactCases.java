package org.dl4jquant.onnx;

import com.google.common.collect.ImmutableList;
import com.google.common.primitives.ImmutableIntArray;
import com.google.common.primitives.ImmutableLongArray;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.dl4jquant.format.FixedPointFormat;
import org.dl4jquant.format.Granularity;
import org.dl4jquant.format.Rounding;
import org.dl4jquant.graph.AccumulatorFormat;
import org.dl4jquant.graph.Activation;
import org.dl4jquant.graph.ActivationFormat;
import org.dl4jquant.graph.NetworkGraph;
import org.dl4jquant.graph.Op;
import org.dl4jquant.graph.QuantizedGraph;
import org.dl4jquant.graph.QuantizedWeights;
import org.dl4jquant.graph.ScalarFunction;
import org.dl4jquant.graph.Shape;
import org.dl4jquant.graph.Weighted;
import org.dl4jquant.tensor.QuantizedTensor;
import org.dl4jquant.tensor.Tensor;

/**
 * Small networks around one operation whose sums often lie exactly between two codes: shifts are
 * short, and inputs are codes, halves of codes, and beyond the range.
 */
final class ExactCases {
  static final int INPUT_LENGTH = 4;

  private final Random random;
  private final int variant;
  private final Rounding rounding;

  ExactCases(int variant, Rounding rounding) {
    this.random = new Random(variant);
    this.variant = variant;
    this.rounding = rounding;
  }

  private int activationBits() {
    return variant % 3 == 1 ? 6 : 8;
  }

  private int weightBits() {
    return new int[] {8, 3, 8, 5}[variant % 4];
  }

  FixedPointFormat input() {
    return new FixedPointFormat(activationBits(), INPUT_LENGTH, variant % 2 == 0, variant % 5 == 4);
  }

  private FixedPointFormat output(int length) {
    boolean signed = variant / 2 % 2 == 0;
    return new FixedPointFormat(variant % 7 == 3 ? 5 : 8, length, signed, signed && variant == 4);
  }

  /** {@code in → op}, or {@code in → op → clip} with the sums inside. */
  QuantizedGraph weighted(Weighted op, int[] in, boolean fused) {
    NetworkGraph.Builder graph = NetworkGraph.builder().input("in", in).add("op", op, "in");
    ScalarFunction[] clips = {
      ScalarFunction.relu(),
      ScalarFunction.relu6(),
      ScalarFunction.identity(),
      new ScalarFunction.Clip(-0.7, 1.3)
    };
    if (fused) {
      graph.add("out", new Activation(clips[variant % clips.length]), "op");
    }
    String last = fused ? "out" : "op";
    int bits = weightBits();
    int fan = op.weight().length() / op.outputChannels();
    int spread = bits + (31 - Integer.numberOfLeadingZeros(fan)) / 2;
    int shift = variant % 2 == 0 ? 1 : Math.max(1, spread - 2);
    QuantizedGraph.Builder builder =
        QuantizedGraph.builder(graph.output(last).build())
            .rounding(rounding)
            .format("in", ActivationFormat.perTensor(input()))
            .weights("op", weights(op, bits))
            .format(last, ActivationFormat.perTensor(output(INPUT_LENGTH + 2 - shift)));
    return builder.build();
  }

  private QuantizedWeights weights(Weighted op, int bits) {
    int channels = op.outputChannels();
    int[] codes = new int[op.weight().length()];
    int limit = 1 << (bits - 1);
    for (int i = 0; i < codes.length; i++) {
      codes[i] = random.nextInt(2 * limit) - limit;
    }
    List<FixedPointFormat> formats = new ArrayList<>();
    int[] grid = new int[channels];
    long[] bias = new long[channels];
    for (int c = 0; c < channels; c++) {
      formats.add(FixedPointFormat.signed(bits, 2 + random.nextInt(3)));
      grid[c] = INPUT_LENGTH + formats.get(c).fractionalLength();
      bias[c] = random.nextInt(1 << 10) - (1L << 9);
    }
    return new QuantizedWeights(
        QuantizedTensor.of(codes, Granularity.perChannel(0), formats, op.weight().shape()),
        ImmutableLongArray.copyOf(bias),
        new AccumulatorFormat.FixedPoint(ImmutableIntArray.copyOf(grid)));
  }

  /** {@code in → op}, which keeps codes or is told its format. */
  QuantizedGraph unweighted(Op op, int[] in) {
    NetworkGraph graph =
        NetworkGraph.builder().input("in", in).add("op", op, "in").output("op").build();
    QuantizedGraph.Builder builder =
        QuantizedGraph.builder(graph)
            .rounding(rounding)
            .format("in", ActivationFormat.perTensor(input()));
    if (!op.keepsCodes()) {
      builder.format("op", ActivationFormat.perTensor(output(INPUT_LENGTH - 1 - variant % 3)));
    }
    return builder.build();
  }

  /** An operation on several values that come from the input by requantization. */
  QuantizedGraph joined(Op op, int[] in, int inputs) {
    NetworkGraph.Builder graph = NetworkGraph.builder().input("in", in);
    List<String> names = new ArrayList<>(List.of("in"));
    for (int i = 1; i < inputs; i++) {
      graph.add("branch" + i, new Activation(ScalarFunction.identity()), "in");
      names.add("branch" + i);
    }
    graph.add("op", op, names.toArray(String[]::new)).output("op");
    QuantizedGraph.Builder builder =
        QuantizedGraph.builder(graph.build())
            .rounding(rounding)
            .format("in", ActivationFormat.perTensor(input()));
    for (int i = 1; i < inputs; i++) {
      builder.format(
          "branch" + i,
          ActivationFormat.perTensor(
              new FixedPointFormat(8, INPUT_LENGTH - 3 + 2 * i, variant % 3 != 0, false)));
    }
    return builder
        .format("op", ActivationFormat.perTensor(output(INPUT_LENGTH - 2 + variant % 3)))
        .build();
  }

  /** Codes, values in the middle between two codes, and values out of range. */
  Tensor values(Shape shape, int batch) {
    Tensor tensor = Tensor.zeros(shape.withBatch(batch));
    FixedPointFormat format = input();
    int codes = (int) (format.maxCode() - format.minCode() + 1);
    for (int i = 0; i < tensor.length(); i++) {
      double code = format.minCode() + random.nextInt(codes);
      code += random.nextInt(8) == 0 ? 0.5 : 0;
      code += random.nextInt(64) == 0 ? codes * (random.nextBoolean() ? 1 : -1) : 0;
      tensor.values()[i] = (float) Math.scalb(code, -INPUT_LENGTH);
    }
    return tensor;
  }

  static ImmutableList<Rounding> bothRoundings() {
    return ImmutableList.of(Rounding.HALF_EVEN, Rounding.HALF_UP);
  }
}
