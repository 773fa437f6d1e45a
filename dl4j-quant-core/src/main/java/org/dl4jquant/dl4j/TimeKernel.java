package org.dl4jquant.dl4j;

import com.google.common.collect.ImmutableList;
import org.dl4jquant.graph.FloatFunction;
import org.dl4jquant.graph.Shape;
import org.dl4jquant.tensor.Tensor;

/** What vertices do to the steps of sequences {@code [features, time]} without masks. */
public enum TimeKernel implements FloatFunction.Kernel {
  /** Keeps the last step, {@code [features]}. */
  LAST {
    @Override
    public Shape outputShape(ImmutableList<Shape> inputs) {
      return Shape.of(inputs.get(0).channels());
    }

    @Override
    public Tensor apply(ImmutableList<Tensor> inputs) {
      Tensor x = inputs.get(0);
      float[] y = new float[x.size(0) * x.size(1)];
      int time = x.size(2);
      for (int i = 0; i < y.length; i++) {
        y[i] = x.values()[i * time + time - 1];
      }
      return Tensor.of(y, x.size(0), x.size(1));
    }
  },

  /** Turns the order of the steps around. */
  REVERSE {
    @Override
    public Shape outputShape(ImmutableList<Shape> inputs) {
      return inputs.get(0);
    }

    @Override
    public Tensor apply(ImmutableList<Tensor> inputs) {
      Tensor x = inputs.get(0);
      float[] y = new float[x.length()];
      int time = x.size(2);
      for (int i = 0; i < y.length; i++) {
        y[i] = x.values()[i / time * time + time - 1 - i % time];
      }
      return Tensor.of(y, x.shape());
    }
  },

  /** Repeats a vector for each step of the second input. */
  DUPLICATE {
    @Override
    public Shape outputShape(ImmutableList<Shape> inputs) {
      Shape sequence = inputs.get(1);
      return Shape.of(inputs.get(0).channels(), sequence.size(sequence.rank() - 1));
    }

    @Override
    public Tensor apply(ImmutableList<Tensor> inputs) {
      Tensor x = inputs.get(0);
      int time = inputs.get(1).size(2);
      float[] y = new float[x.length() * time];
      for (int i = 0; i < y.length; i++) {
        y[i] = x.values()[i / time];
      }
      return Tensor.of(y, x.size(0), x.size(1), time);
    }
  }
}
