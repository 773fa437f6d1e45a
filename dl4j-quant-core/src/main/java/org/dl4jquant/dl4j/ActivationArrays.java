package org.dl4jquant.dl4j;

import com.google.common.collect.ImmutableList;
import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.api.ndarray.INDArray;

/** An activation function as DL4J computes it. One thread at a time may use it. */
record ActivationArrays(IActivation activation) implements ArrayFunction {
  @Override
  public FloatPart part() {
    return new FloatPart.OfActivation(activation);
  }

  @Override
  public INDArray apply(ImmutableList<INDArray> inputs) {
    synchronized (activation) {
      return activation.getActivation(inputs.get(0).dup(), false);
    }
  }
}
