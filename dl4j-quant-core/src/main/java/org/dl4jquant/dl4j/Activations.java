package org.dl4jquant.dl4j;

import com.google.common.collect.ImmutableMap;
import java.util.Optional;
import java.util.function.Function;
import org.dl4jquant.graph.ScalarFunction;
import org.dl4jquant.graph.ScalarFunction.Clip;
import org.dl4jquant.graph.ScalarFunction.Elu;
import org.dl4jquant.graph.ScalarFunction.HardSigmoid;
import org.dl4jquant.graph.ScalarFunction.LeakyRelu;
import org.dl4jquant.graph.ScalarFunction.Smooth;
import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.activations.impl.ActivationCube;
import org.nd4j.linalg.activations.impl.ActivationELU;
import org.nd4j.linalg.activations.impl.ActivationHardSigmoid;
import org.nd4j.linalg.activations.impl.ActivationHardTanH;
import org.nd4j.linalg.activations.impl.ActivationIdentity;
import org.nd4j.linalg.activations.impl.ActivationLReLU;
import org.nd4j.linalg.activations.impl.ActivationMish;
import org.nd4j.linalg.activations.impl.ActivationReLU;
import org.nd4j.linalg.activations.impl.ActivationReLU6;
import org.nd4j.linalg.activations.impl.ActivationRectifiedTanh;
import org.nd4j.linalg.activations.impl.ActivationSELU;
import org.nd4j.linalg.activations.impl.ActivationSigmoid;
import org.nd4j.linalg.activations.impl.ActivationSoftPlus;
import org.nd4j.linalg.activations.impl.ActivationSoftSign;
import org.nd4j.linalg.activations.impl.ActivationSoftmax;
import org.nd4j.linalg.activations.impl.ActivationSwish;
import org.nd4j.linalg.activations.impl.ActivationTanH;

/** DL4J's element-wise activation functions, as they are at inference. */
public final class Activations {
  private static final ImmutableMap<Class<?>, ScalarFunction> PLAIN =
      ImmutableMap.<Class<?>, ScalarFunction>builder()
          .put(ActivationReLU6.class, ScalarFunction.relu6())
          .put(ActivationHardSigmoid.class, HardSigmoid.DL4J)
          .put(ActivationHardTanH.class, new Clip(-1, 1))
          .put(ActivationSigmoid.class, Smooth.SIGMOID)
          .put(ActivationTanH.class, Smooth.TANH)
          .put(ActivationSoftPlus.class, Smooth.SOFTPLUS)
          .put(ActivationSoftSign.class, Smooth.SOFTSIGN)
          .put(ActivationSELU.class, Smooth.SELU)
          .put(ActivationSwish.class, Smooth.SWISH)
          .put(ActivationMish.class, Smooth.MISH)
          .put(ActivationCube.class, Smooth.CUBE)
          .put(ActivationRectifiedTanh.class, Smooth.RECTIFIED_TANH)
          .buildOrThrow();

  private static final ImmutableMap<Class<?>, Function<IActivation, Optional<ScalarFunction>>>
      WITH_CONSTANTS =
          ImmutableMap.of(
              ActivationReLU.class, f -> relu((ActivationReLU) f),
              ActivationLReLU.class, f -> leaky(((ActivationLReLU) f).getAlpha()),
              ActivationELU.class, f -> elu(((ActivationELU) f).getAlpha()));

  private Activations() {}

  /** Returns whether it is DL4J's identity. */
  public static boolean isIdentity(IActivation activation) {
    return activation.getClass() == ActivationIdentity.class;
  }

  /** Returns whether a node of the graph can stand for the function. */
  static boolean hasNode(IActivation activation) {
    return isIdentity(activation)
        || activation.getClass() == ActivationSoftmax.class
        || function(activation).isPresent();
  }

  /** Returns the function, unless it is none of one number or unknown. */
  public static Optional<ScalarFunction> function(IActivation activation) {
    ScalarFunction plain = PLAIN.get(activation.getClass());
    return plain != null
        ? Optional.of(plain)
        : WITH_CONSTANTS
            .getOrDefault(activation.getClass(), unknown -> Optional.empty())
            .apply(activation);
  }

  private static Optional<ScalarFunction> leaky(double slope) {
    return slope >= 0 && Double.isFinite(slope)
        ? Optional.of(new LeakyRelu(slope))
        : Optional.empty();
  }

  private static Optional<ScalarFunction> elu(double alpha) {
    return alpha >= 0 && Double.isFinite(alpha) ? Optional.of(new Elu(alpha)) : Optional.empty();
  }

  /** One with a threshold, or with both a slope and a limit, has no name here. */
  private static Optional<ScalarFunction> relu(ActivationReLU relu) {
    double slope = relu.getNegativeSlope() == null ? 0 : relu.getNegativeSlope();
    double threshold = relu.getThreshold() == null ? 0 : relu.getThreshold();
    if (threshold != 0 || (slope != 0 && relu.getMax() != null)) {
      return Optional.empty();
    }
    if (slope != 0) {
      return leaky(slope);
    }
    double limit = relu.getMax() == null ? Double.POSITIVE_INFINITY : relu.getMax();
    return limit > 0 ? Optional.of(new Clip(0, limit)) : Optional.empty();
  }
}
