package org.dl4jquant.onnx;

import org.dl4jquant.graph.Weighted;

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
