package org.dl4jquant.dl4j;

import com.google.common.collect.ImmutableList;
import org.deeplearning4j.nn.conf.InputPreProcessor;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.nd4j.linalg.api.ndarray.INDArray;

/** A preprocessor of DL4J at inference. */
record PreprocessorArrays(InputPreProcessor preprocessor) implements ArrayFunction {
  @Override
  public FloatPart part() {
    return new FloatPart.OfPreprocessor(preprocessor);
  }

  @Override
  public INDArray apply(ImmutableList<INDArray> inputs) {
    INDArray input = inputs.get(0).dup();
    int batch = Math.toIntExact(input.size(0));
    return preprocessor.clone().preProcess(input, batch, LayerWorkspaceMgr.noWorkspaces()).dup('c');
  }
}
