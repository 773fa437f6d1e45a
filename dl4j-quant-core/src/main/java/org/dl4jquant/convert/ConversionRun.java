package org.dl4jquant.convert;

import static com.google.common.collect.ImmutableList.toImmutableList;

import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableMap;
import com.google.common.primitives.Ints;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import org.dl4jquant.dl4j.Dl4jLayer;
import org.dl4jquant.dl4j.Dl4jNetwork;
import org.dl4jquant.dl4j.Dl4jParameter;
import org.dl4jquant.dl4j.FoldedNetwork;
import org.dl4jquant.dl4j.GraphReader;
import org.dl4jquant.dl4j.NetworkImage;
import org.dl4jquant.format.Granularity;
import org.dl4jquant.graph.ActivationFormat;
import org.dl4jquant.graph.ChannelAffine;
import org.dl4jquant.graph.Node;
import org.dl4jquant.graph.QuantizedGraph;
import org.dl4jquant.graph.Weighted;
import org.dl4jquant.precision.PrecisionPlan;
import org.dl4jquant.precision.Target;
import org.dl4jquant.stats.Sqnr;
import org.dl4jquant.stats.TensorProfile;
import org.dl4jquant.tensor.QuantizedTensor;
import org.dl4jquant.tensor.Tensor;

/** One conversion: weights, then formats of values, then biases on the grids that both make. */
final class ConversionRun {
  private final Conversion settings;
  private final Dl4jNetwork network;
  private final PrecisionPlan plan;
  private final Function<String, Optional<TensorProfile>> profiles;
  private final NetworkImage image;
  private final Map<String, QuantizedParameter> parameters = new HashMap<>();

  ConversionRun(
      Conversion settings,
      FoldedNetwork folded,
      PrecisionPlan plan,
      Function<String, Optional<TensorProfile>> profiles) {
    this.settings = settings;
    this.network = folded.network();
    this.plan = withHalves(plan, folded).with(plan.target().orElse(settings.target()));
    this.profiles = profiles;
    this.image = GraphReader.read(network);
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
    ImmutableMap<String, ActivationFormat> formats = formats(codes);
    quantizeBiases(after, codes, formats);
    return model(weights, source, formats);
  }

  private ImmutableMap<String, ActivationFormat> formats(IntegerWeights codes) {
    CodePlan carriers =
        new CodePlan(
            image.graph(),
            node ->
                !plan.of(node.layer()).keepsFloatActivations() && codes.of(node.name()).isPresent(),
            layer -> plan.of(layer).activationBits(),
            settings.outputBits());
    boolean perChannel = plan.target().equals(Optional.of(Target.INTEGER));
    return new ActivationFormats(image.graph(), settings.activations(), perChannel, profiles)
        .choose(carriers.choices());
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
    replace(parameter, settings.weights().quantized(factors, each, Conversion.FACTOR_BITS));
  }

  /** Puts the bias of each integer sum on the sum's own grid. */
  private void quantizeBiases(
      NetworkImage after, IntegerWeights codes, ImmutableMap<String, ActivationFormat> formats) {
    BiasCorrection correction = new BiasCorrection(image.graph(), profiles);
    Map<String, Tensor> biases = new HashMap<>();
    for (Node node : image.graph().nodes()) {
      if (node.op() instanceof Weighted op) {
        Weighted rounded = (Weighted) after.graph().node(node.name()).op();
        boolean corrects = settings.correctsBias() && bias(node).isPresent();
        biases.put(
            node.name(), corrects ? correction.corrected(node, rounded.weight()) : op.bias());
      }
    }
    QuantizedGraph graph =
        new GraphAssembly(after, codes, formats, layer -> plan.of(layer).biasBits())
            .withBiases(biases)
            .graph();
    for (Node node : image.graph().nodes()) {
      Optional<Dl4jParameter> bias = bias(node);
      if (bias.isPresent()) {
        graph.weights(node.name()).ifPresent(own -> replace(bias.get(), BiasCodes.of(own)));
      }
    }
  }

  private Optional<Dl4jParameter> bias(Node node) {
    return IntegerWeights.source(image, node)
        .flatMap(from -> from.bias().flatMap(key -> parameter(from.layer(), key)));
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
    QuantizedTensor shaped =
        QuantizedTensor.of(codes.codes(), Granularity.perChannel(last), codes.formats(), shape);
    double sqnr = Sqnr.decibels(parameter.tensor().values(), shaped.dequantize().values());
    parameters.put(
        parameter.name(),
        QuantizedParameter.ofCodes(parameter.key(), parameter.layout().role(), shaped, sqnr));
  }

  private QuantizedModel model(
      QuantizedModel weights, String source, ImmutableMap<String, ActivationFormat> formats) {
    ImmutableList<QuantizedLayer> layers =
        network.layers().stream().map(this::layer).collect(toImmutableList());
    return new QuantizedModel(
        weights.graph(),
        weights.configuration(),
        layers,
        formats,
        plan,
        Provenance.of(source, settings.weights().strategyName(), settings.activations().toString()),
        Attachments.NONE);
  }

  private QuantizedLayer layer(Dl4jLayer layer) {
    List<QuantizedParameter> own =
        layer.parameters().stream().map(p -> parameters.get(p.name())).toList();
    return new QuantizedLayer(layer.name(), layer.kind(), ImmutableList.copyOf(own));
  }
}
