package org.dl4jquant;

import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableMap;
import com.google.common.collect.ImmutableSet;
import com.google.common.collect.Maps;
import com.google.errorprone.annotations.CanIgnoreReturnValue;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.function.ToDoubleFunction;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.calibrate.Calibration;
import org.dl4jquant.calibrate.CalibrationExamples;
import org.dl4jquant.calibrate.CalibrationResult;
import org.dl4jquant.calibrate.FiniteExamples;
import org.dl4jquant.convert.Alignment;
import org.dl4jquant.convert.Attachments;
import org.dl4jquant.convert.Conversion;
import org.dl4jquant.convert.LogarithmicActivations;
import org.dl4jquant.convert.OnnxAssembly;
import org.dl4jquant.convert.QuantizedLayer;
import org.dl4jquant.convert.WeightConversion;
import org.dl4jquant.convert.WeightedEntropyCodebooks;
import org.dl4jquant.dl4j.Dl4jNetwork;
import org.dl4jquant.dl4j.Dl4jParameter;
import org.dl4jquant.dl4j.FoldedNetwork;
import org.dl4jquant.graph.ActivationFormat;
import org.dl4jquant.internal.Checks;
import org.dl4jquant.onnx.OnnxModel;
import org.dl4jquant.onnx.OnnxOptions;
import org.dl4jquant.precision.AccuracyBudgetSearch;
import org.dl4jquant.precision.GreedySearch;
import org.dl4jquant.precision.LayerDescription;
import org.dl4jquant.precision.LayerPrecision;
import org.dl4jquant.precision.LayerRanking;
import org.dl4jquant.precision.LayerSelector;
import org.dl4jquant.precision.LayerStatistic;
import org.dl4jquant.precision.OutputClassPolicy;
import org.dl4jquant.precision.OutputHead;
import org.dl4jquant.precision.PlanPatterns;
import org.dl4jquant.precision.PrecisionPlan;
import org.dl4jquant.precision.PrecisionRules;
import org.dl4jquant.precision.Scheme;
import org.dl4jquant.precision.SearchResult;
import org.dl4jquant.precision.Target;
import org.dl4jquant.stats.WeightDifferences;
import org.dl4jquant.strategy.FormatStrategy;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;
import org.nd4j.linalg.dataset.api.iterator.MultiDataSetIterator;
import org.nd4j.linalg.dataset.api.preprocessor.Normalizer;
import org.nd4j.linalg.indexing.NDArrayIndex;

/**
 * The way in: from a trained network to a quantized model.
 *
 * <pre>{@code
 * QuantizedModel weightsOnly = Quantization.of(network).weightBits(8).convert();
 * QuantizedModel integers = Quantization.of(network).weightBits(8).calibrate(data).convert();
 * }</pre>
 *
 * <p>Immutable: every method that sets something returns a copy. The network is only read, and must
 * not be trained while a conversion runs.
 */
public final class Quantization {
  private static final int DEFAULT_WEIGHT_BITS = 8;
  private static final int DEFAULT_ACTIVATION_BITS = 8;
  private static final int CHECKED_EXAMPLES = 32;
  private static final double FOLDING_TOLERANCE = 1e-3;

  private final Dl4jNetwork network;
  private final PrecisionRules rules;
  private final Conversion conversion;
  private final Attachments attachments;
  private final OutputClassPolicy outputClasses;
  private final Optional<CalibrationResult> calibration;
  private final Optional<CalibrationExamples> examples;

  private Quantization(
      Dl4jNetwork network,
      PrecisionRules rules,
      Conversion conversion,
      Attachments attachments,
      OutputClassPolicy outputClasses,
      Optional<CalibrationResult> calibration,
      Optional<CalibrationExamples> examples) {
    this.network = network;
    this.rules = rules;
    this.conversion = conversion;
    this.attachments = attachments;
    this.outputClasses = outputClasses;
    this.calibration = calibration;
    this.examples = examples;
  }

  private Quantization with(PrecisionRules other) {
    return new Quantization(
        network, other, conversion, attachments, outputClasses, calibration, examples);
  }

  private Quantization with(Attachments other) {
    return new Quantization(
        network, rules, conversion, other, outputClasses, calibration, examples);
  }

  /**
   * Starts with weights of 8 bits in every layer.
   *
   * @throws IllegalArgumentException if {@code model} is not an initialized MultiLayerNetwork or
   *     ComputationGraph
   */
  public static Quantization of(Model model) {
    return new Quantization(
        Dl4jNetwork.of(model),
        PrecisionRules.of(LayerPrecision.weights(DEFAULT_WEIGHT_BITS)),
        Conversion.DEFAULT,
        Attachments.NONE,
        OutputClassPolicy.LOG2_BOUND,
        Optional.empty(),
        Optional.empty());
  }

  /**
   * Gives every layer weights of this width, 2 to 16; forgets what was pinned before. The layers
   * that make the outputs get more where their number of classes asks for it: {@link
   * #outputClasses}.
   */
  public Quantization weightBits(int bits) {
    return with(PrecisionRules.of(rules.fallback().withWeightBits(bits)));
  }

  /**
   * Gives what every layer gives codes of this width, 4 to 16, or 32 to leave it float; keeps pins.
   * Has an effect only with calibration, and is 8 then unless set.
   */
  public Quantization activationBits(int bits) {
    return with(rules.withFallback(rules.fallback().withActivationBits(bits)));
  }

  /**
   * Gives what the selected layers, vertices and inputs give codes of this width; later pins win.
   * What only moves codes, such as max pooling or padding, keeps those of its input.
   */
  public Quantization pinActivations(LayerSelector selector, int bits) {
    return with(rules.withActivationBits(selector, bits));
  }

  /** Gives the selected layers weights of this width; later pins win. */
  public Quantization pin(LayerSelector selector, int bits) {
    return with(rules.withWeightBits(selector, bits));
  }

  /**
   * Keeps the weights of the selected layers float, and computes the selected vertices, and layers
   * without weights, in float; what takes the value of the latter computes in float, too.
   */
  public Quantization keepFloat(LayerSelector selector) {
    return with(rules.withFloat(selector));
  }

  /**
   * Bounds the widths of the layers that make the outputs in another way than by {@link
   * OutputClassPolicy#LOG2_BOUND} (method E). Such a layer never gets fewer bits than its bound:
   * neither by {@link #weightBits}, nor by a search, a pin or a plan. What asks for fewer is
   * raised, and {@link #raisedHeads} says so. {@link OutputClassPolicy#NONE} lifts the bounds.
   */
  public Quantization outputClasses(OutputClassPolicy policy) {
    return new Quantization(network, rules, conversion, attachments, policy, calibration, examples);
  }

  /** Chooses formats and codes of weights in another way than by minimal squared error. */
  public Quantization conversion(WeightConversion other) {
    return conversion(conversion.withWeights(other));
  }

  /** Returns all that a conversion with calibration can be told, as it is set now. */
  public Conversion conversion() {
    return conversion;
  }

  /** Sets all that a conversion with calibration can be told. */
  public Quantization conversion(Conversion other) {
    return new Quantization(
        network, rules, other, attachments, outputClasses, calibration, examples);
  }

  /**
   * Says what is to compute the network in integers: {@link Target#INTEGER} unless set. Has an
   * effect only with calibration, and where a plan leaves it open.
   */
  public Quantization target(Target target) {
    return conversion(conversion.withTarget(target));
  }

  /**
   * Says which kind of numbers codes stand for, where a plan leaves it open: {@link
   * Scheme#FIXED_POINT} unless set.
   */
  public Quantization scheme(Scheme scheme) {
    return conversion(conversion.withScheme(scheme));
  }

  /**
   * Says how channels of different ranges meet in one sum, if not as suits the target. Has an
   * effect only with calibration.
   */
  public Quantization alignment(Alignment alignment) {
    return conversion(conversion.withAlignment(alignment));
  }

  /**
   * Gives all weights levels of weighted entropy, as many as codes of their bits can name, in place
   * of uniform steps (method G). Meant to be fine-tuned.
   */
  public Quantization codebooks(WeightedEntropyCodebooks codebooks) {
    return codebooks(codebooks, layer -> true);
  }

  /** Gives the weights of some layers, by name, levels of weighted entropy (method G). */
  public Quantization codebooks(WeightedEntropyCodebooks codebooks, Predicate<String> layers) {
    return conversion(conversion.weights().withLevels(codebooks, layers));
  }

  /**
   * Gives what a ReLU gives logarithmic formats of maximal weighted entropy, of as many levels as
   * codes of its activation bits can name (method G). Ask for it before {@link #calibrate}. Meant
   * to be fine-tuned; the report tells which values got one.
   */
  public Quantization logarithmicActivations(LogarithmicActivations levels) {
    return conversion(conversion.withLogarithmic(levels));
  }

  /** Chooses the formats of activations in another way than by minimal squared error. */
  public Quantization strategy(FormatStrategy strategy) {
    return conversion(conversion.withActivations(strategy));
  }

  /**
   * Runs representative data through the network, so that activations can be quantized, too. The
   * data is what {@link Calibration#run(DataSetIterator)} takes; examples with features that are
   * NaN or infinite are left out, counted and warned about.
   *
   * @throws IllegalArgumentException if a weight is NaN or infinite, or no example has finite
   *     features
   * @throws IllegalStateException if folding changes what the network gives for the first examples
   */
  public Quantization calibrate(DataSetIterator data) {
    FoldedNetwork folded = folded();
    CalibrationExamples.Collector kept = new CalibrationExamples.Collector();
    CalibrationResult seen = calibrating(folded, kept).run(data);
    if (data.resetSupported()) {
      data.reset();
      requireSame(folded, data.next().getFeatures());
      data.reset();
    }
    return calibration(seen).keeping(kept.examples());
  }

  /** Does the same with several inputs. */
  public Quantization calibrate(MultiDataSetIterator data) {
    FoldedNetwork folded = folded();
    CalibrationExamples.Collector kept = new CalibrationExamples.Collector();
    CalibrationResult seen = calibrating(folded, kept).run(data);
    if (data.resetSupported()) {
      data.reset();
      requireSame(folded, data.next().getFeatures());
      data.reset();
    }
    return calibration(seen).keeping(kept.examples());
  }

  /**
   * Does the same with one batch.
   *
   * @param inputs one array per input of the network, in order
   */
  public Quantization calibrate(INDArray... inputs) {
    FoldedNetwork folded = folded();
    requireSame(folded, inputs);
    CalibrationExamples.Collector kept = new CalibrationExamples.Collector();
    CalibrationResult seen = calibrating(folded, kept).run(inputs);
    return calibration(seen).keeping(kept.examples());
  }

  private Calibration calibrating(FoldedNetwork folded, CalibrationExamples.Collector kept) {
    Calibration calibration = Calibration.of(folded.network()).withInputs(kept);
    return conversion.logarithmic().isPresent() ? calibration.withLogarithms() : calibration;
  }

  /** Takes what a calibration of this network, or of its folded form, saw. */
  public Quantization calibration(CalibrationResult seen) {
    Quantization calibrated =
        new Quantization(
            network,
            rules,
            conversion,
            attachments,
            outputClasses,
            Optional.of(seen),
            Optional.empty());
    return rules.fallback().keepsFloatActivations()
        ? calibrated.activationBits(DEFAULT_ACTIVATION_BITS)
        : calibrated;
  }

  /**
   * Takes examples of a calibration that was run apart ({@link Calibration#withInputs}), for what
   * needs more than profiles: adaptive rounding.
   */
  public Quantization examples(CalibrationExamples kept) {
    return keeping(Optional.of(kept));
  }

  private Quantization keeping(Optional<CalibrationExamples> kept) {
    return new Quantization(
        network, rules, conversion, attachments, outputClasses, calibration, kept);
  }

  /**
   * Rounds weights of any width adaptively, or none. Unless it is set, they are as soon as a
   * layer's have at most {@value Conversion#ADAPTIVE_BITS} bits. Needs examples of the calibration:
   * {@link #calibrate} keeps some.
   */
  public Quantization adaptiveRounding(boolean adaptive) {
    return conversion(
        conversion.withAdaptiveRounding(adaptive ? ActivationFormat.MAX_BIT_WIDTH : 0));
  }

  private FoldedNetwork folded() {
    network.layers().forEach(layer -> layer.parameters().forEach(Dl4jParameter::requireFinite));
    return FoldedNetwork.of(network);
  }

  private void requireSame(FoldedNetwork folded, INDArray... inputs) {
    INDArray[] few = inputs.clone();
    for (int i = 0; i < few.length; i++) {
      few[i] = few[i].get(NDArrayIndex.interval(0, Math.min(CHECKED_EXAMPLES, few[i].size(0))));
    }
    INDArray[] finite = FiniteExamples.of(few);
    if (finite.length > 0) {
      folded.requireSame(network, FOLDING_TOLERANCE, finite);
    }
  }

  /**
   * Lets a normalizer travel with the model: {@code save} writes it beside the network, where
   * DL4J's {@code restoreNormalizerFromFile} finds it in a plain archive. It changes no computation
   * here: {@link #calibrate}, and the networks that come of a conversion, take data that is
   * normalized, as {@code fit} did, for example by the preprocessor of the iterator.
   */
  public Quantization normalizer(Normalizer<?> normalizer) {
    return with(attachments.withNormalizer(normalizer));
  }

  /** Lets the updater's state travel with the model, so that training can go on. */
  public Quantization keepUpdaterState() {
    Model model = network.model();
    return with(
        attachments.withUpdaterState(
            model instanceof MultiLayerNetwork layers
                ? layers.getUpdater(true).getStateViewArray().dup()
                : ((ComputationGraph) model).getUpdater(true).getStateViewArray().dup()));
  }

  /**
   * Returns the network as it is, in float, in ONNX's form.
   *
   * @throws org.dl4jquant.onnx.UnsupportedOnnxException if a layer cannot be written; the message
   *     names it
   */
  public OnnxModel toFloatOnnx(OnnxOptions options) {
    return OnnxAssembly.ofFloat(
        calibration.isEmpty() || calibration.get().inputShapes().isEmpty()
            ? network
            : network.withInputShapes(calibration.get().inputShapes()),
        options);
  }

  /** Writes the network as it is, in float, as an ONNX file; whole or not at all. */
  @CanIgnoreReturnValue
  public OnnxModel exportFloatOnnx(Path file) {
    return exportFloatOnnx(file, OnnxOptions.defaults());
  }

  /** Writes {@link #toFloatOnnx} to a file, whole or not at all. */
  @CanIgnoreReturnValue
  public OnnxModel exportFloatOnnx(Path file, OnnxOptions options) {
    OnnxModel model = toFloatOnnx(options);
    model.writeTo(file);
    return model;
  }

  /** Returns the plan that the widths, pins and numbers of classes make for this network. */
  public PrecisionPlan plan() {
    return outputClasses.raise(NetworkLayers.of(network).plan(rules), heads());
  }

  /** Returns why {@link #plan} gives a head more bits than was asked for, by layer. */
  public ImmutableMap<String, String> raisedHeads() {
    return raisedHeads(NetworkLayers.of(network).plan(rules));
  }

  /** Returns why {@link #convert(PrecisionPlan)} gives a head more bits than the plan, by layer. */
  public ImmutableMap<String, String> raisedHeads(PrecisionPlan plan) {
    return outputClasses.raised(NetworkLayers.of(network).resolved(plan), heads());
  }

  /** Returns the layers whose weights make the outputs, in the order of the outputs. */
  public ImmutableList<OutputHead> heads() {
    return network.heads().stream()
        .map(head -> new OutputHead(head.layer(), head.classes(), head.coupled()))
        .collect(ImmutableList.toImmutableList());
  }

  private ImmutableSet<String> pinned() {
    return layers().stream()
        .filter(rules::pins)
        .map(LayerDescription::name)
        .collect(ImmutableSet.toImmutableSet());
  }

  /** Returns the layers that have weights, in topological order. */
  public ImmutableList<LayerDescription> layers() {
    return NetworkLayers.of(network).weighted();
  }

  /** Converts by the widths and pins. */
  public QuantizedModel convert() {
    return convert(NetworkLayers.of(network).plan(rules));
  }

  /**
   * Converts by a plan, such as the one that a search has found, with the heads raised to their
   * bounds ({@link #outputClasses}); it may name layers by pattern ({@link PlanPatterns}).
   *
   * <p>With calibration, activations become codes, too, and the network is folded ({@link
   * FoldedNetwork}); without, only weights do.
   *
   * @throws IllegalArgumentException if the plan names a layer that the network lacks, or a weight
   *     is NaN or infinite
   * @throws IllegalStateException if the updater's state is to travel with a folded network, which
   *     it does not fit, or logarithmic activations are asked for without calibration
   */
  public QuantizedModel convert(PrecisionPlan plan) {
    PrecisionPlan bounded = outputClasses.raise(NetworkLayers.of(network).resolved(plan), heads());
    if (calibration.isEmpty()) {
      Checks.state(
          conversion.logarithmic().isEmpty(), "logarithmic activations take a calibration");
      boolean open = plan.scheme().isEmpty() && conversion.scheme() != Scheme.FIXED_POINT;
      return finished(
          conversion.weights().convert(network, open ? bounded.with(conversion.scheme()) : bounded),
          plan);
    }
    Checks.state(
        attachments.updaterState().isEmpty(),
        "the updater's state belongs to the float network; convert with calibration without it");
    return finished(conversion.convert(network, bounded, calibration.get(), examples), plan);
  }

  private QuantizedModel finished(org.dl4jquant.convert.QuantizedModel model, PrecisionPlan asked) {
    return QuantizedModel.of(model.with(attachments)).withRaised(raisedHeads(asked));
  }

  /**
   * Prepares the search for the layers that can go to low precision (method B) by what a listener
   * recorded while this network was trained.
   *
   * @throws IllegalArgumentException if another network was watched
   * @throws IllegalStateException if no cycle of training was seen
   */
  public AccuracyBudgetSearch.Builder search(WeightDifferences differences) {
    differences.requireMatches(
        layers().stream()
            .collect(
                ImmutableMap.toImmutableMap(
                    LayerDescription::name, LayerDescription::weightCount)));
    return search(LayerStatistic.of(differences));
  }

  /**
   * Prepares the search for the layers that can go to low precision (method B): ranked as
   * published, pinned layers and heads whose bound exceeds the low precision left out ({@link
   * SearchResult#leftOut} says why). Run it with {@link #evaluating}.
   *
   * @param statistics one per layer, in the order of the network; a layer without one is not tried
   * @throws IllegalArgumentException if the network has no layer of one of the names
   */
  public AccuracyBudgetSearch.Builder search(List<LayerStatistic> statistics) {
    return search(statistics, LayerRanking.PUBLISHED);
  }

  /** Prepares the search with another ranking. */
  public AccuracyBudgetSearch.Builder search(
      List<LayerStatistic> statistics, LayerRanking ranking) {
    return AccuracyBudgetSearch.over(layers(), plan(), ranking.rank(statistics, pinned()))
        .leftOut(ranking.leftOut(statistics, pinned()))
        .leastBits(outputClasses.bounds(heads()));
  }

  /**
   * Prepares a greedy search that measures in each round which layer costs least per bit saved;
   * pinned layers and heads whose bound exceeds the low precision are left out. Run it with {@link
   * #evaluating}.
   */
  public GreedySearch.Builder greedySearch() {
    ImmutableSet<String> pinned = pinned();
    return GreedySearch.measuring(
            layers(),
            plan(),
            layers().stream()
                .map(LayerDescription::name)
                .filter(layer -> !pinned.contains(layer))
                .toList())
        .leftOut(Maps.toMap(pinned, layer -> "its width is pinned"))
        .leastBits(outputClasses.bounds(heads()));
  }

  /**
   * Prepares a greedy search in the order of any score: layers of low numbers are lowered first,
   * those that break the budget are passed. Left out is what {@link #search(List)} leaves out.
   *
   * @param statistics one per layer, in the order of the network, such as {@link
   *     LayerStatistic#ofScores}
   * @throws IllegalArgumentException if the network has no layer of one of the names
   */
  public GreedySearch.Builder greedySearch(List<LayerStatistic> statistics) {
    LayerRanking ranking = LayerRanking.PUBLISHED;
    return GreedySearch.over(layers(), plan(), ranking.rank(statistics, pinned()))
        .leftOut(ranking.leftOut(statistics, pinned()))
        .leastBits(outputClasses.bounds(heads()));
  }

  /**
   * Returns the statistics in units of the noise that codes of {@code lowBits} bits add to the
   * weights of their layer, so that layers of different scale become comparable: each is divided by
   * {@code step^2 / 12}, averaged over the layer's weights. Pins are disregarded. A layer whose
   * weights stay float at any width gets an infinite statistic, so that it is not tried.
   *
   * @param statistics of layers that have weights
   * @param lowBits the low precision of the search, 2 to 16
   * @throws IllegalArgumentException if the network lacks one of the layers, or a weight is NaN or
   *     infinite
   */
  public ImmutableList<LayerStatistic> normalized(List<LayerStatistic> statistics, int lowBits) {
    ImmutableList<QuantizedLayer> low =
        conversion
            .weights()
            .uniform()
            .convert(network, PrecisionPlan.uniform(LayerPrecision.weights(lowBits)))
            .layers();
    return statistics.stream()
        .map(statistic -> normalized(statistic, low))
        .collect(ImmutableList.toImmutableList());
  }

  private static LayerStatistic normalized(
      LayerStatistic statistic, ImmutableList<QuantizedLayer> low) {
    List<String> names = low.stream().map(QuantizedLayer::name).toList();
    int index = names.indexOf(statistic.layer());
    Checks.that(index >= 0, "statistics", "name only the layers " + names, statistic.layer());
    double step = Math.sqrt(low.get(index).meanSquareStep());
    return step > 0
        ? statistic.normalized(step)
        : new LayerStatistic(statistic.layer(), Double.POSITIVE_INFINITY, statistic.frozen());
  }

  /** Returns the metric of a plan as the metric of the DL4J network that it makes. */
  public ToDoubleFunction<PrecisionPlan> evaluating(ToDoubleFunction<Model> metric) {
    return plan -> metric.applyAsDouble(convert(plan).toNetwork());
  }
}
