package org.dl4jquant.convert;

import static com.google.common.collect.ImmutableList.toImmutableList;

import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableMap;
import com.google.common.primitives.Ints;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.dl4jquant.dl4j.Dl4jLayer;
import org.dl4jquant.dl4j.Dl4jNetwork;
import org.dl4jquant.dl4j.Dl4jParameter;
import org.dl4jquant.dl4j.GraphReader;
import org.dl4jquant.dl4j.NetworkImage;
import org.dl4jquant.dl4j.ParameterRole;
import org.dl4jquant.format.FixedPointFormat;
import org.dl4jquant.format.Granularity;
import org.dl4jquant.format.NumberFormat;
import org.dl4jquant.format.Rounding;
import org.dl4jquant.graph.AccumulatorFormat;
import org.dl4jquant.graph.Node;
import org.dl4jquant.graph.QuantizedGraph;
import org.dl4jquant.graph.QuantizedWeights;
import org.dl4jquant.internal.Checks;
import org.dl4jquant.stats.Sqnr;
import org.dl4jquant.tensor.QuantizedTensor;
import org.dl4jquant.tensor.Tensor;

/** The codes of other values with the formats of a model; biases go to the grids of their sums. */
final class Recoding {
  private final QuantizedModel model;
  private final ImmutableMap<String, ImmutableList<NumberFormat>> formats;
  private final Map<String, Dl4jParameter> values = new HashMap<>();

  /**
   * Prepares the codes.
   *
   * @param formats by the name of the parameter, where they differ from those of the model
   */
  Recoding(
      QuantizedModel model,
      Dl4jNetwork network,
      ImmutableMap<String, ImmutableList<NumberFormat>> formats) {
    this.model = model;
    this.formats = formats;
    for (Dl4jLayer layer : network.layers()) {
      layer.parameters().forEach(parameter -> values.put(parameter.name(), parameter));
    }
  }

  /** Returns the grids on which a model's integer sums have their biases, by parameter. */
  static ImmutableMap<String, BiasGrid> biasGrids(QuantizedModel model) {
    if (model.activations().isEmpty()) {
      return ImmutableMap.of();
    }
    NetworkImage image = GraphReader.read(model.plainNetwork());
    ImmutableMap.Builder<String, BiasGrid> grids = ImmutableMap.builder();
    sums(model, image)
        .forEach(
            (name, sum) -> {
              String layer = name.substring(0, name.lastIndexOf('/'));
              int bits = Math.min(GraphAssembly.MAX_BIAS_BITS, model.plan().of(layer).biasBits());
              if (sum.accumulator() instanceof AccumulatorFormat.FixedPoint grid) {
                grids.put(name, new BiasGrid(bits, grid.fractionalLengths()));
              }
            });
    return grids.buildOrThrow();
  }

  QuantizedModel model(String source) {
    QuantizedModel weights = with(model.layers().stream().map(this::withFloatBiases), source);
    Map<String, QuantizedTensor> biases = new HashMap<>();
    if (!model.activations().isEmpty()) {
      sums(weights, GraphReader.read(weights.plainNetwork()))
          .forEach((name, sum) -> biases.put(name, BiasCodes.of(sum)));
    }
    return with(
        weights.layers().stream().map(layer -> withBiases(layer, original(layer), biases)), source);
  }

  private QuantizedLayer original(QuantizedLayer layer) {
    return model.layers().stream()
        .filter(own -> own.name().equals(layer.name()))
        .findFirst()
        .orElseThrow();
  }

  private QuantizedModel with(Stream<QuantizedLayer> layers, String source) {
    Provenance from = model.provenance();
    return new QuantizedModel(
        model
            .content()
            .withLayers(layers.collect(toImmutableList()))
            .with(from.ofWeights(source, from.weightStrategy())));
  }

  /** Returns the sums that are integers and have a bias from a parameter, by its name. */
  private static ImmutableMap<String, QuantizedWeights> sums(
      QuantizedModel model, NetworkImage image) {
    QuantizedGraph graph =
        new GraphAssembly(
                image,
                new IntegerWeights(image, model.layers()),
                model.activations(),
                layer -> model.plan().of(layer).biasBits())
            .graph();
    ImmutableMap.Builder<String, QuantizedWeights> sums = ImmutableMap.builder();
    for (Node node : image.graph().nodes()) {
      graph
          .weights(node.name())
          .ifPresent(
              own ->
                  IntegerWeights.source(image, node)
                      .ifPresent(
                          from ->
                              from.bias()
                                  .ifPresent(key -> sums.put(from.layer() + "/" + key, own))));
    }
    return sums.buildOrThrow();
  }

  private Dl4jParameter value(String layer, String key) {
    String name = layer + "/" + key;
    return Optional.ofNullable(values.get(name))
        .orElseThrow(() -> Checks.violated("network", "have parameter " + name, "none"));
  }

  private QuantizedLayer withFloatBiases(QuantizedLayer layer) {
    ImmutableList.Builder<QuantizedParameter> parameters = ImmutableList.builder();
    for (QuantizedParameter parameter : layer.parameters()) {
      Dl4jParameter value = value(layer.name(), parameter.key());
      Optional<QuantizedTensor> codes = parameter.codes().filter(own -> !isBias(parameter));
      parameters.add(
          codes.isPresent()
              ? coded(parameter, value, codes.get())
              : QuantizedParameter.ofValues(
                  parameter.key(), parameter.role(), value.value().dup(), parameter.floatReason()));
    }
    return new QuantizedLayer(layer.name(), layer.kind(), parameters.build());
  }

  /** A normalization that stands alone has its shift in the place of a bias. */
  private static boolean isBias(QuantizedParameter parameter) {
    return parameter.role() == ParameterRole.BIAS
        || (parameter.role() == ParameterRole.STATISTIC && parameter.key().equals("beta"));
  }

  private QuantizedParameter coded(
      QuantizedParameter parameter, Dl4jParameter value, QuantizedTensor like) {
    List<NumberFormat> own = formats.getOrDefault(value.name(), like.formats());
    Tensor tensor = value.tensor().reshape(like.shape());
    QuantizedTensor codes =
        QuantizedTensor.quantize(tensor, like.granularity(), own, Rounding.HALF_EVEN);
    double sqnr = Sqnr.decibels(tensor.values(), codes.dequantize().values());
    return QuantizedParameter.ofCodes(parameter.key(), parameter.role(), codes, sqnr);
  }

  private QuantizedLayer withBiases(
      QuantizedLayer layer, QuantizedLayer original, Map<String, QuantizedTensor> biases) {
    ImmutableList.Builder<QuantizedParameter> parameters = ImmutableList.builder();
    for (int i = 0; i < layer.parameters().size(); i++) {
      QuantizedParameter parameter = layer.parameters().get(i);
      Optional<QuantizedTensor> before = original.parameters().get(i).codes();
      Dl4jParameter value = value(layer.name(), parameter.key());
      QuantizedTensor sum = biases.get(value.name());
      if (parameter.codes().isPresent() || before.isEmpty()) {
        parameters.add(parameter);
      } else if (sum == null) {
        parameters.add(onItsOwn(layer, parameter, value, before.get()));
      } else {
        parameters.add(placed(parameter, value, sum));
      }
    }
    return new QuantizedLayer(layer.name(), layer.kind(), parameters.build());
  }

  /**
   * A bias that belongs to no sum of integers, or no longer to one, has a format of its own, and
   * another one when it has outgrown that.
   */
  private QuantizedParameter onItsOwn(
      QuantizedLayer layer,
      QuantizedParameter parameter,
      Dl4jParameter value,
      QuantizedTensor before) {
    Tensor tensor = value.tensor().reshape(before.shape());
    double largest = 0;
    for (float element : tensor.values()) {
      largest = Math.max(largest, Math.abs(element));
    }
    boolean fits =
        before.granularity().equals(Granularity.perTensor())
            && largest <= before.formats().get(0).maxValue();
    if (fits || largest == 0) {
      return coded(parameter, value, before);
    }
    int bits = Math.min(GraphAssembly.MAX_BIAS_BITS, model.plan().of(layer.name()).biasBits());
    QuantizedTensor codes =
        QuantizedTensor.quantize(
            tensor,
            Granularity.perTensor(),
            List.of(FixedPointFormat.covering(largest, bits)),
            Rounding.HALF_EVEN);
    double sqnr = Sqnr.decibels(tensor.values(), codes.dequantize().values());
    return QuantizedParameter.ofCodes(parameter.key(), parameter.role(), codes, sqnr);
  }

  private static QuantizedParameter placed(
      QuantizedParameter parameter, Dl4jParameter value, QuantizedTensor codes) {
    int[] shape = Ints.toArray(value.layout().shape());
    Granularity last = Granularity.perChannel(shape.length - 1);
    QuantizedTensor shaped = QuantizedTensor.of(codes.codes(), last, codes.formats(), shape);
    double sqnr = Sqnr.decibels(value.tensor().values(), shaped.dequantize().values());
    return QuantizedParameter.ofCodes(parameter.key(), parameter.role(), shaped, sqnr);
  }
}
