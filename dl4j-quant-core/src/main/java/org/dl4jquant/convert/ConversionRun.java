package org.dl4jquant.convert;

import static com.google.common.collect.ImmutableList.toImmutableList;

import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableMap;
import com.google.common.primitives.Ints;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Function;
import org.dl4jquant.calibrate.CalibrationExamples;
import org.dl4jquant.dl4j.Dl4jLayer;
import org.dl4jquant.dl4j.Dl4jNetwork;
import org.dl4jquant.dl4j.Dl4jParameter;
import org.dl4jquant.dl4j.EqualizedNetwork;
import org.dl4jquant.dl4j.FoldedNetwork;
import org.dl4jquant.dl4j.GraphReader;
import org.dl4jquant.dl4j.NetworkImage;
import org.dl4jquant.format.Granularity;
import org.dl4jquant.format.NumberFormat;
import org.dl4jquant.format.Rounding;
import org.dl4jquant.graph.ActivationFormat;
import org.dl4jquant.graph.ChannelAffine;
import org.dl4jquant.graph.Node;
import org.dl4jquant.graph.ProductAlignment;
import org.dl4jquant.graph.QuantizedGraph;
import org.dl4jquant.graph.Weighted;
import org.dl4jquant.precision.PrecisionPlan;
import org.dl4jquant.precision.Scheme;
import org.dl4jquant.precision.Target;
import org.dl4jquant.stats.Sqnr;
import org.dl4jquant.stats.TensorProfile;
import org.dl4jquant.strategy.FormatStrategy;
import org.dl4jquant.tensor.QuantizedTensor;
import org.dl4jquant.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/** One conversion: weights, then formats of values, then biases on the grids that both make. */
final class ConversionRun {
  /** Sums of more inputs keep their nearest codes. */
  private static final int MOST_ADAPTIVE_INPUTS = 8192;

  private final Conversion settings;
  private final Dl4jNetwork network;
  private final PrecisionPlan plan;
  private final Function<String, Optional<TensorProfile>> profiles;
  private final Observations seen;
  private final Optional<CalibrationExamples> examples;
  private final NetworkImage image;
  private final Alignment alignment;
  private final Scheme scheme;
  private final Map<String, QuantizedParameter> parameters = new HashMap<>();
  private final ImmutableMap<String, String> foldedInto;
  private ImmutableMap<String, String> families = ImmutableMap.of();
  private String activationStrategy;
  private LogarithmicFormats.Choice logarithmic = LogarithmicFormats.Choice.NONE;
  private boolean adapted;

  ConversionRun(Conversion settings, FoldedNetwork folded, PrecisionPlan plan, Observations seen) {
    Target target = plan.target().orElse(settings.target());
    this.settings = settings;
    this.foldedInto = folded.folded();
    this.activationStrategy = settings.activations().toString();
    this.seen = seen;
    this.examples = seen.examples();
    this.scheme = plan.scheme().orElse(settings.scheme());
    PrecisionPlan whole = withHalves(plan, folded).with(target);
    this.plan = scheme == Scheme.AFFINE ? whole.with(scheme) : whole;
    this.alignment = settings.alignment(target, scheme);
    NetworkImage plain = GraphReader.read(folded.network());
    if (!alignment.trades()) {
      this.network = folded.network();
      this.image = plain;
      this.profiles = seen.profiles();
      return;
    }
    Trades trades =
        Trades.of(folded.network(), plain.graph(), settings, this.plan, seen.profiles());
    this.network = EqualizedNetwork.of(folded.network(), trades.exponents());
    this.image = GraphReader.read(network);
    this.profiles = trades::after;
  }

  /** A separable convolution's precision is that of both halves. */
  private static PrecisionPlan withHalves(PrecisionPlan plan, FoldedNetwork folded) {
    PrecisionPlan all = plan;
    for (String layer : folded.split()) {
      all = all.with(layer + FoldedNetwork.DEPTHWISE, plan.of(layer));
    }
    return all;
  }

  QuantizedModel model(String source) {
    QuantizedModel weights = settings.weights().convert(network, plan);
    weights
        .layers()
        .forEach(
            layer ->
                layer.parameters().forEach(p -> parameters.put(layer.name() + "/" + p.key(), p)));
    quantizeFactors();
    QuantizedModel rounded = model(weights, source, ImmutableMap.of());
    NetworkImage after = GraphReader.read(rounded.plainNetwork());
    IntegerWeights codes = new IntegerWeights(after, rounded.layers());
    Map<String, Tensor> biases = biases(after);
    ImmutableMap<String, ActivationFormat> formats = formats(after, codes, biases);
    if (coarsen(after, codes, formats, biases)) {
      rounded = model(weights, source, ImmutableMap.of());
      after = GraphReader.read(rounded.plainNetwork());
      codes = new IntegerWeights(after, rounded.layers());
    }
    if (round(after, codes, formats, biases)) {
      rounded = model(weights, source, ImmutableMap.of());
      after = GraphReader.read(rounded.plainNetwork());
      codes = new IntegerWeights(after, rounded.layers());
    }
    quantizeBiases(after, codes, formats, biases);
    return model(weights, source, formats);
  }

  private ImmutableMap<String, ActivationFormat> formats(
      NetworkImage after, IntegerWeights codes, Map<String, Tensor> biases) {
    CodePlan carriers =
        new CodePlan(
            image.graph(),
            node ->
                !plan.of(node.layer()).keepsFloatActivations() && codes.of(node.name()).isPresent(),
            layer -> plan.of(layer).activationBits(),
            settings.outputBits());
    ImmutableMap<String, CodePlan.Choice> choices = carriers.choices();
    ImmutableList<FormatStrategy> candidates =
        settings.activations().candidates().stream()
            .filter(each -> scheme == Scheme.FIXED_POINT || each.choosesAffine())
            .collect(toImmutableList());
    logarithmic = LogarithmicFormats.choose(settings, image.graph(), seen, choices);
    if (examples.isEmpty() || candidates.size() == 1 || choices.isEmpty()) {
      ActivationFormats only = formats(candidates.get(0));
      ImmutableMap<String, ActivationFormat> chosen = logarithmic.over(only.choose(choices));
      families = only.families();
      return chosen;
    }
    ImmutableMap.Builder<String, ImmutableMap<String, ActivationFormat>> all =
        ImmutableMap.builder();
    Map<String, ImmutableMap<String, String>> named = new HashMap<>();
    for (FormatStrategy each : candidates) {
      ActivationFormats own = formats(each);
      all.put(each.toString(), logarithmic.over(own.choose(choices)));
      named.put(each.toString(), own.families());
    }
    StrategySearch.Choice choice =
        new StrategySearch(
                image.graph(), examples.get(), formats -> assembled(after, codes, formats, biases))
            .choose(all.buildOrThrow());
    activationStrategy = settings.activations() + ": " + choice.text();
    families = families(choice.strategies(), named);
    return choice.formats();
  }

  private ActivationFormats formats(FormatStrategy strategy) {
    return new ActivationFormats(image.graph(), strategy, scheme, alignment.perChannel(), profiles);
  }

  private static ImmutableMap<String, String> families(
      Map<String, String> strategies, Map<String, ImmutableMap<String, String>> named) {
    ImmutableMap.Builder<String, String> families = ImmutableMap.builder();
    strategies.forEach(
        (value, strategy) -> {
          @Nullable String family = Objects.requireNonNull(named.get(strategy)).get(value);
          if (family != null) {
            families.put(value, family);
          }
        });
    return families.buildOrThrow();
  }

  /**
   * Makes codes of the factors of each normalization that stands alone. The constants of a scale or
   * shift vertex are no parameters, so that it computes in float.
   */
  private void quantizeFactors() {
    for (Node node : image.graph().nodes()) {
      if (node.op() instanceof ChannelAffine op
          && !plan.of(node.layer()).keepsFloatWeights()
          && !plan.of(node.layer()).keepsFloatActivations()) {
        IntegerWeights.source(image, node)
            .flatMap(from -> parameter(from.layer(), from.weight()))
            .ifPresent(parameter -> quantizeFactors(parameter, op.weight()));
      }
    }
  }

  private void quantizeFactors(Dl4jParameter parameter, Tensor factors) {
    Granularity each = Granularity.perChannel(parameter.layout().shape().size() - 1);
    replace(parameter, settings.weights().quantized(factors, each, Conversion.FACTOR_BITS, scheme));
  }

  /** Returns the biases in float, corrected if they shall be. */
  private Map<String, Tensor> biases(NetworkImage after) {
    BiasCorrection correction = new BiasCorrection(image.graph(), profiles);
    Map<String, Tensor> biases = new HashMap<>();
    for (Node node : image.graph().nodes()) {
      if (node.op() instanceof Weighted op) {
        Weighted rounded = (Weighted) after.graph().node(node.name()).op();
        biases.put(
            node.name(), corrects(node) ? correction.corrected(node, rounded.weight()) : op.bias());
      }
    }
    return biases;
  }

  private boolean corrects(Node node) {
    return settings.correctsBias() && bias(node).isPresent();
  }

  /** Makes room for the biases of affine sums; returns whether weights had to change. */
  private boolean coarsen(
      NetworkImage after,
      IntegerWeights codes,
      ImmutableMap<String, ActivationFormat> formats,
      Map<String, Tensor> biases) {
    if (scheme != Scheme.AFFINE) {
      return false;
    }
    ParameterOrder order = ParameterOrder.of(network);
    ImmutableMap<String, QuantizedTensor> coarser =
        BiasRoom.coarsened(after.graph(), codes, formats, biases);
    coarser.forEach(
        (name, weight) -> {
          if (order.of(name).isPresent()) {
            replaceWeight(name, weight, order.of(name).get());
          } else if (image.graph().node(name).op() instanceof ChannelAffine) {
            replace(weight(name), weight);
          }
        });
    return !coarser.isEmpty();
  }

  /** Rounds what is to be rounded adaptively; returns whether there was anything. */
  private boolean round(
      NetworkImage after,
      IntegerWeights codes,
      ImmutableMap<String, ActivationFormat> formats,
      Map<String, Tensor> biases) {
    boolean few =
        network.layers().stream()
            .filter(layer -> layer.weightCount() > 0)
            .anyMatch(layer -> plan.of(layer.name()).weightBits() <= settings.adaptiveBits());
    if (examples.isEmpty() || !few) {
      return false;
    }
    ParameterOrder order = ParameterOrder.of(network);
    AdaptivePass.Results results =
        new AdaptivePass(
                image.graph(),
                after.graph(),
                formats,
                node -> Objects.requireNonNull(biases.get(node.name())),
                this::corrects)
            .run(examples.get(), nearest(codes, order));
    results
        .sums()
        .forEach(
            (name, result) -> {
              biases.put(name, result.bias());
              replaceWeight(name, result.weight(), order.of(name).orElseThrow());
            });
    results
        .cells()
        .forEach(
            (layer, weights) ->
                weights.forEach(
                    (key, own) -> replaceCodes(parameter(layer, key).orElseThrow(), own)));
    adapted = !results.isEmpty();
    return adapted;
  }

  /** Returns the weights to be rounded adaptively: all of them as soon as one has so few bits. */
  private AdaptivePass.Nearest nearest(IntegerWeights codes, ParameterOrder order) {
    return new AdaptivePass.Nearest() {
      @Override
      public Optional<QuantizedTensor> of(Node node) {
        return node.op() instanceof Weighted op
                && !(op instanceof ChannelAffine)
                && op.weight().length() / op.outputChannels() <= MOST_ADAPTIVE_INPUTS
            ? codes.choices(node.name()).filter(own -> order.of(node.name()).isPresent())
            : Optional.empty();
      }

      @Override
      public Optional<QuantizedTensor> of(String layer, String key) {
        return Optional.ofNullable(parameters.get(layer + "/" + key))
            .flatMap(QuantizedParameter::codes)
            .map(IntegerWeights::withNearestLevels);
      }
    };
  }

  /** Puts codes of the graph into the parameter that they are of. */
  private void replaceWeight(String name, QuantizedTensor weight, int[] order) {
    Dl4jParameter parameter = weight(name);
    int[] shape = Ints.toArray(parameter.layout().shape());
    Granularity granularity = parameter.layout().granularity();
    int[] channelOf = granularity.channelOfEach(shape);
    int perChannel = order.length / weight.formats().size();
    int[] own = weight.codes();
    int[] codes = new int[order.length];
    NumberFormat[] formats = new NumberFormat[granularity.channels(shape)];
    for (int i = 0; i < order.length; i++) {
      codes[order[i]] = own[i];
      formats[channelOf[order[i]]] = weight.formats().get(i / perChannel);
    }
    replaceCodes(
        parameter, QuantizedTensor.of(codes, granularity, ImmutableList.copyOf(formats), shape));
  }

  /** Puts the bias of each integer sum on the sum's own grid. */
  private void quantizeBiases(
      NetworkImage after,
      IntegerWeights codes,
      ImmutableMap<String, ActivationFormat> formats,
      Map<String, Tensor> biases) {
    QuantizedGraph graph = assembled(after, codes, formats, biases);
    for (Node node : image.graph().nodes()) {
      Optional<Dl4jParameter> bias = bias(node);
      if (bias.isPresent()) {
        graph.weights(node.name()).ifPresent(own -> replace(bias.get(), BiasCodes.of(own)));
      }
    }
  }

  private QuantizedGraph assembled(
      NetworkImage after,
      IntegerWeights codes,
      Map<String, ActivationFormat> formats,
      Map<String, Tensor> biases) {
    Map<String, Tensor> own = new HashMap<>(biases);
    if (alignment == Alignment.OUTPUT) {
      own.replaceAll((name, bias) -> onGrid(bias, target(image.graph().node(name), formats)));
    }
    return new GraphAssembly(
            after, codes, ImmutableMap.copyOf(formats), layer -> plan.of(layer).biasBits())
        .withBiases(own)
        .graph();
  }

  /** Returns the format of what the sums of a node become, if they become codes. */
  private Optional<ActivationFormat> target(Node node, Map<String, ActivationFormat> formats) {
    return Optional.ofNullable(formats.get(node.name()))
        .or(
            () ->
                image
                    .graph()
                    .soleConsumer(node.name())
                    .flatMap(next -> Optional.ofNullable(formats.get(next.name()))));
  }

  private static Tensor onGrid(Tensor bias, Optional<ActivationFormat> grid) {
    return grid.map(format -> ProductAlignment.onGrid(bias, format, Rounding.HALF_EVEN))
        .orElse(bias);
  }

  private Optional<Dl4jParameter> bias(Node node) {
    return IntegerWeights.source(image, node)
        .flatMap(from -> from.bias().flatMap(key -> parameter(from.layer(), key)));
  }

  private Dl4jParameter weight(String node) {
    return IntegerWeights.source(image, image.graph().node(node))
        .flatMap(from -> parameter(from.layer(), from.weight()))
        .orElseThrow();
  }

  private Optional<Dl4jParameter> parameter(String layer, String key) {
    return network.layers().stream()
        .filter(own -> own.name().equals(layer))
        .flatMap(own -> own.parameters().stream())
        .filter(own -> own.key().equals(key))
        .findFirst();
  }

  private void replace(Dl4jParameter parameter, QuantizedTensor codes) {
    int[] shape = Ints.toArray(parameter.layout().shape());
    int last = shape.length - 1;
    replaceCodes(
        parameter,
        QuantizedTensor.of(codes.codes(), Granularity.perChannel(last), codes.formats(), shape));
  }

  private void replaceCodes(Dl4jParameter parameter, QuantizedTensor codes) {
    double sqnr = Sqnr.decibels(parameter.tensor().values(), codes.dequantize().values());
    parameters.put(
        parameter.name(),
        QuantizedParameter.ofCodes(parameter.key(), parameter.layout().role(), codes, sqnr));
  }

  private QuantizedModel model(
      QuantizedModel weights, String source, ImmutableMap<String, ActivationFormat> formats) {
    ImmutableList<QuantizedLayer> layers =
        network.layers().stream().map(this::layer).collect(toImmutableList());
    Provenance provenance =
        Provenance.of(source, weightStrategy(), activationStrategy + logarithmic.remark())
            .with(foldedInto, logarithmic.without(families));
    return new QuantizedModel(
        new ModelContent(
            weights.graph(),
            weights.configuration(),
            layers,
            formats,
            plan,
            provenance,
            Attachments.NONE,
            network.inputShapes()));
  }

  private String weightStrategy() {
    return settings.weights().words() + (adapted ? ", rounded adaptively" : "");
  }

  private QuantizedLayer layer(Dl4jLayer layer) {
    List<QuantizedParameter> own =
        layer.parameters().stream().map(p -> parameters.get(p.name())).toList();
    return new QuantizedLayer(layer.name(), layer.kind(), ImmutableList.copyOf(own));
  }
}
