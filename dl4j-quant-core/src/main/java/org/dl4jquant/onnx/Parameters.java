package org.dl4jquant.onnx;

import java.util.stream.IntStream;
import org.dl4jquant.graph.Weighted;
import org.dl4jquant.tensor.QuantizedTensor;

/** Where a weighted operation's constants come from. */
interface Parameters {
  /** Writes the weight in this layout; returns the name of the float tensor. */
  String weight(ParameterLayout layout);

  /**
   * Writes the bias; returns the name of the float tensor, {@link GraphWriter#ABSENT} if {@link
   * #detachedBias} must be added to the result instead.
   */
  String bias(ParameterLayout layout);

  /** Writes the bias for a sum of its own, or returns {@link GraphWriter#ABSENT}. */
  String detachedBias(int rank);

  /** The parameters of an operation without weights. */
  Parameters NONE =
      new Parameters() {
        @Override
        public String weight(ParameterLayout layout) {
          throw new IllegalStateException("no weights");
        }

        @Override
        public String bias(ParameterLayout layout) {
          throw new IllegalStateException("no bias");
        }

        @Override
        public String detachedBias(int rank) {
          throw new IllegalStateException("no bias");
        }
      };

  /** Float sums of weights that are stored as codes, per tensor or per output channel. */
  record Codes(
      GraphWriter writer,
      DequantizedConstant constants,
      String node,
      Weighted op,
      QuantizedTensor codes)
      implements Parameters {
    @Override
    public String weight(ParameterLayout layout) {
      int[] from = codes.codes();
      int[] arranged = IntStream.range(0, from.length).map(i -> from[layout.source(i)]).toArray();
      Step[] steps = codes.formats().stream().map(Step::of).toArray(Step[]::new);
      return constants.weight(
          arranged,
          codes.bitWidth(),
          codes.signed(),
          layout.weightShape().toArray(),
          steps,
          steps.length == 1 ? -1 : layout.outputAxis(),
          writer.unique(node + "/weight"));
    }

    @Override
    public String bias(ParameterLayout layout) {
      return writer.floats(node + "/bias", op.bias().values(), layout.biasShape().toArray());
    }

    @Override
    public String detachedBias(int rank) {
      return GraphWriter.ABSENT;
    }
  }

  /** Float parameters. */
  record Floats(GraphWriter writer, String node, Weighted op) implements Parameters {
    @Override
    public String weight(ParameterLayout layout) {
      float[] values = op.weight().values();
      float[] arranged = new float[values.length];
      for (int i = 0; i < arranged.length; i++) {
        arranged[i] = values[layout.source(i)];
      }
      return writer.floats(node + "/weight", arranged, layout.weightShape().toArray());
    }

    @Override
    public String bias(ParameterLayout layout) {
      return writer.floats(node + "/bias", op.bias().values(), layout.biasShape().toArray());
    }

    @Override
    public String detachedBias(int rank) {
      return GraphWriter.ABSENT;
    }
  }
}
