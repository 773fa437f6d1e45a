package org.dl4jquant.execute;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.google.common.collect.ImmutableList;
import java.util.List;
import java.util.Random;
import org.dl4jquant.graph.Convolution;
import org.dl4jquant.graph.Deconvolution;
import org.dl4jquant.graph.Dense;
import org.dl4jquant.graph.Extent;
import org.dl4jquant.graph.NetworkGraph;
import org.dl4jquant.graph.Padding;
import org.dl4jquant.graph.Shape;
import org.dl4jquant.graph.Weighted;
import org.dl4jquant.tensor.Tensor;
import org.junit.jupiter.api.Test;

final class InputPatchesTest {
  private static final int BATCH = 2;

  private final Random random = new Random(9);

  private Tensor tensor(int... shape) {
    int length = 1;
    for (int size : shape) {
      length *= size;
    }
    float[] values = new float[length];
    for (int i = 0; i < length; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return Tensor.of(values, shape);
  }

  /** Sums of patches times weights are what the operation computes. */
  private void check(Weighted op, Shape in) {
    Tensor input = tensor(in.withBatch(BATCH));
    NetworkGraph.Builder builder = NetworkGraph.builder();
    int[] sizes = new int[in.rank()];
    for (int i = 0; i < sizes.length; i++) {
      sizes[i] = in.size(i);
    }
    builder.input("in", sizes).add("sums", op, "in").output("sums");
    float[] expected = FloatNetwork.of(builder.build()).output(input).values();
    Shape out = op.outputShape(ImmutableList.of(in));
    InputPatches patches = InputPatches.of(op, in, out);
    int width = patches.positions() + 3;
    int outputs = op.outputChannels() / patches.groups();
    for (int e = 0; e < BATCH; e++) {
      for (int g = 0; g < patches.groups(); g++) {
        float[] matrix = new float[patches.length() * width];
        patches.copy(input.values(), e, g, matrix, width, 2);
        for (int o = g * outputs; o < (g + 1) * outputs; o++) {
          for (int p = 0; p < patches.positions(); p++) {
            double sum = op.bias().values()[o];
            for (int i = 0; i < patches.length(); i++) {
              sum +=
                  (double) op.weight().values()[o * patches.length() + i]
                      * matrix[i * width + 2 + p];
            }
            int at = (e * op.outputChannels() + o) * patches.positions() + p;
            assertEquals(expected[at], sum, 1e-4, op.kind() + " element " + at);
          }
        }
      }
    }
  }

  @Test
  void patchesAreWhatTheWeightsMeet() {
    check(new Dense(tensor(3, 7), tensor(3)), Shape.of(7));
    List<Padding> paddings = List.of(Padding.SAME, new Padding.Explicit(1, 0, 2, 1));
    for (Padding padding : paddings) {
      for (int groups : new int[] {1, 2, 4}) {
        check(
            new Convolution(
                tensor(8, 4 / groups, 3, 2),
                tensor(8),
                new Extent(2, 1),
                new Extent(1, 2),
                padding,
                groups),
            Shape.of(4, 7, 6));
      }
      check(
          new Deconvolution(tensor(3, 2, 3, 2), tensor(3), new Extent(2, 1), Extent.ONE, padding),
          Shape.of(2, 4, 5));
    }
    check(
        new Convolution(tensor(3, 2, 1, 3), tensor(3), Extent.ONE, Extent.ONE, Padding.CAUSAL, 1),
        Shape.of(2, 9));
  }
}
