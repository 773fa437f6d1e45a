package org.dl4jquant.convert;

import static com.google.common.collect.ImmutableList.toImmutableList;

import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableMap;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.dl4jquant.format.AffineParameters;
import org.dl4jquant.format.FixedPointFormat;
import org.dl4jquant.graph.Activation;
import org.dl4jquant.graph.ActivationFormat;
import org.dl4jquant.graph.FloatFunction;
import org.dl4jquant.graph.Input;
import org.dl4jquant.graph.NetworkGraph;
import org.dl4jquant.graph.Node;
import org.dl4jquant.graph.Permute;
import org.dl4jquant.graph.Reshape;
import org.dl4jquant.graph.ScalarFunction;
import org.dl4jquant.graph.Shape;
import org.dl4jquant.graph.Softmax;
import org.dl4jquant.graph.Weighted;
import org.dl4jquant.internal.Checks;
import org.dl4jquant.precision.Scheme;
import org.dl4jquant.stats.ChannelProfile;
import org.dl4jquant.stats.TensorProfile;
import org.dl4jquant.strategy.FormatStrategy;
import org.dl4jquant.strategy.PdfFamily;

/**
 * Chooses the format of every value that is to be codes, from what calibration saw of it.
 *
 * <p>A format is unsigned if no negative value was seen and none can be computed: after a function
 * that gives none, of other unsigned values, or for an input or what a float layer gives. Affine
 * formats cover what was seen of both signs.
 */
final class ActivationFormats {
  private static final double FAR = 256;

  /** Magnitudes between which values can have affine formats whose products are normal floats. */
  private static final double SMALLEST = 0x1p-46;

  private static final double LARGEST = 0x1p46;

  /** From so many bits on one may be spent on what leaves the integers, against surprises. */
  private static final int PLENTY_BITS = 12;

  /** How much finer than the coarsest the format of a channel may be, in bits. */
  private static final int MAX_SPREAD = 8;

  private final NetworkGraph graph;
  private final FormatStrategy strategy;
  private final Scheme scheme;
  private final boolean perChannel;
  private final Function<String, Optional<TensorProfile>> profiles;
  private final Set<String> unsigned = new HashSet<>();
  private final Map<String, String> families = new LinkedHashMap<>();

  ActivationFormats(
      NetworkGraph graph,
      FormatStrategy strategy,
      Scheme scheme,
      boolean perChannel,
      Function<String, Optional<TensorProfile>> profiles) {
    this.graph = graph;
    this.strategy = strategy;
    this.scheme = scheme;
    this.perChannel = perChannel;
    this.profiles = profiles;
  }

  ImmutableMap<String, ActivationFormat> choose(Map<String, CodePlan.Choice> choices) {
    ImmutableMap.Builder<String, ActivationFormat> formats = ImmutableMap.builder();
    for (Node node : graph.nodes()) {
      CodePlan.Choice choice = choices.get(node.name());
      if (choice != null) {
        formats.put(node.name(), choose(node, choice));
      } else if (node.op().keepsCodes() && unsigned.contains(node.input())) {
        unsigned.add(node.name());
      }
    }
    return formats.buildOrThrow();
  }

  private ActivationFormat choose(Node node, CodePlan.Choice choice) {
    TensorProfile profile =
        profiles
            .apply(node.name())
            .filter(seen -> seen.whole().count() > 0)
            .orElseThrow(
                () ->
                    Checks.violated(
                        "calibration", "have seen every value", "none of '" + node.name() + "'"));
    if (scheme == Scheme.AFFINE) {
      return ActivationFormat.perTensor(affine(node, choice, profile.whole()));
    }
    boolean signed = !isUnsigned(node, profile.whole());
    if (!signed) {
      unsigned.add(node.name());
    }
    if (!choice.outside() || choice.bits() < PLENTY_BITS) {
      FixedPointFormat format = strategy.choose(profile.whole(), choice.bits(), signed);
      requireReach(node, profile.whole(), format);
      boolean each = perChannel && !choice.outside() && hasChannels(node, profile);
      name(node, each ? profile.channels().stream() : Stream.of(profile.whole()), format);
      return each
          ? ActivationFormat.perChannel(
              coarsened(strategy.chooseEach(profile, choice.bits(), signed)))
          : ActivationFormat.perTensor(format);
    }
    // Bits are plenty, so that twice of what was seen must fit.
    FixedPointFormat seen = FormatStrategy.maxAbs().choose(profile.whole(), choice.bits(), signed);
    requireReach(node, profile.whole(), seen);
    return ActivationFormat.perTensor(seen.withFractionalLength(seen.fractionalLength() - 1));
  }

  /** Returns what {@link org.dl4jquant.convert.Provenance#families} tells. */
  ImmutableMap<String, String> families() {
    return ImmutableMap.copyOf(families);
  }

  private void name(Node node, Stream<ChannelProfile> channels, FixedPointFormat format) {
    Map<PdfFamily, Long> counts =
        channels
            .flatMap(
                channel -> strategy.family(channel, format.bitWidth(), format.signed()).stream())
            .collect(
                Collectors.groupingBy(
                    family -> family, () -> new EnumMap<>(PdfFamily.class), Collectors.counting()));
    if (!counts.isEmpty()) {
      families.put(
          node.name(),
          counts.size() == 1
              ? counts.keySet().iterator().next().toString()
              : counts.entrySet().stream()
                  .map(entry -> entry.getKey() + " " + entry.getValue())
                  .collect(Collectors.joining(", ")));
    }
  }

  /** Codes are unsigned: with a zero point that is all the same, and runtimes prefer it. */
  private AffineParameters affine(Node node, CodePlan.Choice choice, ChannelProfile seen) {
    double largest = seen.moments().maxAbs();
    boolean tooSmall = largest > 0 && largest < SMALLEST && !isBounded(node);
    Checks.that(
        !tooSmall && largest <= LARGEST,
        "values of '" + node.name() + "'",
        tooSmall
            ? "exceed %s in magnitude to become codes".formatted((float) SMALLEST)
            : "be below %s in magnitude to become codes".formatted((float) LARGEST),
        "%s at most: scale the weights before and after it, or keep layer '%s' float"
            .formatted((float) largest, node.layer()));
    return choice.outside() && choice.bits() >= PLENTY_BITS
        ? AffineParameters.covering(
            2 * seen.moments().min(), 2 * seen.moments().max(), choice.bits(), false)
        : strategy.chooseAffine(seen, choice.bits(), false);
  }

  /**
   * Whether a value can have a format per channel. The features of a vector see one value per
   * example each, too few to be channels.
   */
  private boolean hasChannels(Node node, TensorProfile profile) {
    Shape shape = graph.shape(node.name());
    return shape.rank() > 1
        && profile.channels().size() > 1
        && profile.channels().size() == shape.channels()
        && staysChannelwise(node);
  }

  /** Whether wherever the codes move, their formats can follow them along the channels. */
  private boolean staysChannelwise(Node node) {
    return graph.consumers(node.name()).stream()
        .filter(consumer -> consumer.op().keepsCodes())
        .allMatch(
            consumer ->
                !(consumer.op() instanceof Permute)
                    && !(consumer.op() instanceof Reshape)
                    && graph.channels(consumer.name()) != Shape.UNKNOWN
                    && staysChannelwise(consumer));
  }

  /** Keeps a channel of tiny values from making sums wide: its noise is far below the others'. */
  private static ImmutableList<FixedPointFormat> coarsened(
      ImmutableList<FixedPointFormat> formats) {
    int coarsest =
        formats.stream().mapToInt(FixedPointFormat::fractionalLength).min().orElseThrow();
    return formats.stream()
        .map(
            format ->
                format.withFractionalLength(
                    Math.min(format.fractionalLength(), coarsest + MAX_SPREAD)))
        .collect(toImmutableList());
  }

  /** Formats have limits: values far beyond them would become zeros, or all the same. */
  private static void requireReach(Node node, ChannelProfile seen, FixedPointFormat format) {
    double largest = seen.moments().maxAbs();
    double limit = FAR * format.maxCode() * format.scale();
    boolean tooSmall =
        format.fractionalLength()
                >= FormatStrategy.MAX_FRACTIONAL_LENGTH - 1 // of equals, the coarser
            && largest > 0
            && largest <= format.scale()
            && !isBounded(node);
    boolean tooLarge =
        format.fractionalLength() <= FormatStrategy.MIN_FRACTIONAL_LENGTH && largest > limit;
    Checks.that(
        !tooSmall && !tooLarge,
        "values of '" + node.name() + "'",
        tooSmall
            ? "exceed %s in magnitude to become codes".formatted((float) format.scale())
            : "be below %s in magnitude to become codes".formatted((float) limit),
        "%s at most: scale the weights before and after it, or keep layer '%s' float"
            .formatted((float) largest, node.layer()));
  }

  /** Functions such as the sigmoid have a scale of their own; what is tiny there is nothing. */
  private static boolean isBounded(Node node) {
    return node.op() instanceof Softmax
        || (node.op() instanceof Activation activation
            && activation.function() instanceof ScalarFunction.Smooth);
  }

  private boolean isUnsigned(Node node, ChannelProfile seen) {
    if (seen.moments().min() < 0 || node.op() instanceof Weighted) {
      return false;
    }
    if (node.op() instanceof Activation activation) {
      return neverNegative(activation.function());
    }
    return node.op() instanceof Input
        || node.op() instanceof FloatFunction
        || node.op() instanceof Softmax
        || unsigned.containsAll(node.inputs());
  }

  private static boolean neverNegative(ScalarFunction function) {
    return function.equals(ScalarFunction.Smooth.SIGMOID)
        || function.equals(ScalarFunction.Smooth.SOFTPLUS)
        || function.equals(ScalarFunction.Smooth.RECTIFIED_TANH)
        || function instanceof ScalarFunction.HardSigmoid
        || function.lowest() == 0;
  }
}
