package org.dl4jquant.onnx;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession.SessionOptions.OptLevel;
import java.util.Map;
import java.util.function.IntFunction;
import java.util.stream.Stream;
import org.dl4jquant.execute.IntegerNetwork;
import org.dl4jquant.format.Rounding;
import org.dl4jquant.graph.Activation;
import org.dl4jquant.graph.Add;
import org.dl4jquant.graph.ChannelAffine;
import org.dl4jquant.graph.Concat;
import org.dl4jquant.graph.Convolution;
import org.dl4jquant.graph.Crop;
import org.dl4jquant.graph.Deconvolution;
import org.dl4jquant.graph.Dense;
import org.dl4jquant.graph.Extent;
import org.dl4jquant.graph.Flatten;
import org.dl4jquant.graph.GlobalPool;
import org.dl4jquant.graph.MaxPool;
import org.dl4jquant.graph.Op;
import org.dl4jquant.graph.Padding;
import org.dl4jquant.graph.Permute;
import org.dl4jquant.graph.QuantizedGraph;
import org.dl4jquant.graph.ScalarFunction;
import org.dl4jquant.graph.Upsample;
import org.dl4jquant.graph.Window;
import org.dl4jquant.graph.ZeroPad;
import org.dl4jquant.tensor.Tensor;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** More than 10^6 codes of each promised kind, at every optimization level, one by one. */
final class ExactnessTest {
  private static final int VARIANTS = 8;
  private static final int CODES = 1_000_000;

  /** Makes the network of one variant. */
  interface Maker {
    QuantizedGraph make(ExactCases cases);
  }

  record Kind(String name, Maker maker) {
    @Override
    public String toString() {
      return name;
    }
  }

  private static Tensor zeros(int... shape) {
    return Tensor.zeros(shape);
  }

  private static final int[] IMAGE = {8, 12, 12};

  private static Kind convolution(
      String name, int[] weight, Extent strides, Extent dilation, Padding padding, int groups) {
    return new Kind(
        name,
        cases ->
            cases.weighted(
                new Convolution(
                    zeros(weight), zeros(weight[0]), strides, dilation, padding, groups),
                IMAGE,
                false));
  }

  private static Kind moving(String name, Op op) {
    return new Kind(name, cases -> cases.unweighted(op, IMAGE));
  }

  static Stream<Kind> kinds() {
    Extent one = Extent.ONE;
    Extent two = Extent.square(2);
    return Stream.of(
        new Kind(
            "dense", c -> c.weighted(new Dense(zeros(96, 70), zeros(96)), new int[] {70}, false)),
        new Kind(
            "dense with fused clips",
            c -> c.weighted(new Dense(zeros(96, 70), zeros(96)), new int[] {70}, true)),
        convolution("convolution", new int[] {16, 8, 3, 3}, one, one, Padding.SAME, 1),
        convolution(
            "strided", new int[] {16, 8, 3, 2}, two, one, new Padding.Explicit(1, 0, 0, 1), 1),
        convolution("dilated", new int[] {16, 8, 3, 3}, one, two, Padding.symmetric(2, 2), 1),
        convolution("grouped", new int[] {16, 4, 3, 3}, one, one, Padding.SAME, 2),
        convolution("depthwise", new int[] {8, 1, 3, 3}, one, one, Padding.SAME, 8),
        convolution("depth multiplier", new int[] {16, 1, 3, 3}, one, one, Padding.NONE, 8),
        convolution("pointwise", new int[] {16, 8, 1, 1}, one, one, Padding.NONE, 1),
        new Kind(
            "convolution with fused clips",
            c ->
                c.weighted(
                    Convolution.of(zeros(16, 8, 3, 3), zeros(16), Padding.SAME), IMAGE, true)),
        new Kind(
            "one-dimensional",
            c ->
                c.weighted(
                    Convolution.of(zeros(16, 8, 1, 3), zeros(16), Padding.CAUSAL),
                    new int[] {8, 144},
                    false)),
        new Kind(
            "deconvolution",
            c ->
                c.weighted(
                    new Deconvolution(zeros(4, 8, 3, 3), zeros(4), two, one, Padding.SAME),
                    IMAGE,
                    false)),
        new Kind(
            "channel affine", c -> c.weighted(new ChannelAffine(zeros(8), zeros(8)), IMAGE, false)),
        moving("ReLU", new Activation(ScalarFunction.relu())),
        moving("ReLU6", new Activation(ScalarFunction.relu6())),
        moving("identity", new Activation(ScalarFunction.identity())),
        moving("max pool", new MaxPool(Window.of(two, one, Padding.SAME))),
        moving("zero pad", new ZeroPad(new Padding.Explicit(1, 0, 2, 1))),
        moving("crop", new Crop(new Padding.Explicit(0, 1, 1, 0))),
        moving("upsample", new Upsample(new Extent(2, 1))),
        moving("flatten", new Flatten()),
        moving("permute", Permute.of(1, 2, 0)),
        new Kind("add", c -> c.joined(new Add(), IMAGE, 2)),
        new Kind("add three", c -> c.joined(new Add(), IMAGE, 3)),
        new Kind("concat", c -> c.joined(Concat.CHANNELS, IMAGE, 2)),
        new Kind(
            "global max",
            c -> c.unweighted(new GlobalPool(GlobalPool.Reduction.MAX), new int[] {256, 2, 2})));
  }

  private static OnnxOptions options(int variant) {
    SignedCodes container = variant % 3 == 2 ? SignedCodes.UINT8 : SignedCodes.INT8;
    return OnnxOptions.builder().signedCodes(container).build();
  }

  @ParameterizedTest
  @MethodSource("kinds")
  void everyCodeIsEqualAtEveryLevel(Kind kind) throws OrtException {
    IntFunction<QuantizedGraph> even =
        variant -> kind.maker().make(new ExactCases(variant, Rounding.HALF_EVEN));
    int perExample = Math.max(1, even.apply(0).graph().shape(out(even.apply(0))).elements());
    int batch = CODES / VARIANTS / perExample + 1;
    long compared = 0;
    long ties = 0;
    for (int variant = 0; variant < VARIANTS; variant++) {
      QuantizedGraph graph = even.apply(variant);
      String out = out(graph);
      OnnxModel model = OnnxExport.ofQuantized(graph, options(variant));
      assertEquals(Map.of(), model.unpromised(), kind.name());
      Tensor input =
          new ExactCases(variant, Rounding.HALF_EVEN).values(graph.graph().shape("in"), batch);
      float[] expected = IntegerNetwork.of(graph).output(input).values();
      for (OptLevel level : OptLevel.values()) {
        try (OrtRunner runner = new OrtRunner(model.toByteArray(), level)) {
          float[] found = runner.run(Map.of("in", input)).get(out).values();
          assertArrayEquals(expected, found, kind + ", variant " + variant + " at " + level);
        }
      }
      compared += expected.length;
      ties +=
          differences(
              expected, kind.maker().make(new ExactCases(variant, Rounding.HALF_UP)), input);
    }
    assertTrue(compared >= CODES, "only " + compared);
    assertTrue(ties > compared / 1000, "only " + ties + " codes depend on how ties are rounded");
  }

  private static String out(QuantizedGraph graph) {
    return graph.graph().outputs().get(0);
  }

  private static long differences(float[] expected, QuantizedGraph halfUp, Tensor input) {
    float[] other = IntegerNetwork.of(halfUp).output(input).values();
    long different = 0;
    for (int i = 0; i < other.length; i++) {
      different += other[i] == expected[i] ? 0 : 1;
    }
    return different;
  }
}
