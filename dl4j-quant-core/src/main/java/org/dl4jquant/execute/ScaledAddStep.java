package org.dl4jquant.execute;

import com.google.common.collect.ImmutableList;
import org.dl4jquant.format.UniformFormat;
import org.dl4jquant.graph.ScalarFunction;

/**
 * Adds codes of affine formats in float: each code times its step in steps of the output, summed in
 * the order of the inputs, saturated, rounded half to even.
 */
final class ScaledAddStep implements Step {
  private final String node;
  private final ImmutableList<String> inputs;
  private final String target;
  private final float[] ratios;
  private final float lowest;
  private final float highest;

  /**
   * @param target the node whose codes the sums become: this one, or an activation that clips
   * @param from one format per input
   */
  ScaledAddStep(
      String node,
      ImmutableList<String> inputs,
      String target,
      ImmutableList<UniformFormat> from,
      UniformFormat to,
      ScalarFunction clip) {
    this.node = node;
    this.inputs = inputs;
    this.target = target;
    ratios = new float[from.size()];
    for (int i = 0; i < ratios.length; i++) {
      ratios[i] = ScaledRequantization.ratio(from.get(i).step(), to);
    }
    lowest = to.quantize(clip.lowest()) - to.zeroPoint();
    highest = to.quantize(clip.highest()) - to.zeroPoint();
  }

  @Override
  public void run(Frame frame) {
    CodeArrays first = frame.codes(inputs.get(0));
    frame.shape(target, frame.shape(node));
    CodeArrays out = frame.newCodes(target);
    float[] sums = new float[first.length()];
    for (int a = 0; a < first.count(); a++) {
      for (int i = 0; i < ratios.length; i++) {
        VectorLoops.addScaled(frame.codes(inputs.get(i)).array(a), sums, ratios[i], i == 0 ? 0 : 1);
      }
      VectorLoops.round(sums, out.array(a), lowest, highest);
    }
  }
}
