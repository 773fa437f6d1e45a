package org.dl4jquant.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableMap;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.function.ToDoubleFunction;
import org.dl4jquant.Quantization;
import org.dl4jquant.convert.QuantizedModel;
import org.dl4jquant.export.PackedArchive;
import org.dl4jquant.export.PlainArchive;
import org.dl4jquant.precision.LayerDescription;
import org.dl4jquant.precision.LayerStatistic;
import org.dl4jquant.precision.PrecisionPlan;
import org.dl4jquant.precision.Scheme;
import org.dl4jquant.precision.SearchResult;
import org.dl4jquant.precision.Target;
import org.dl4jquant.report.QuantizationReport;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Turns a float network into a quantized one. */
@Command(
    name = "quantize",
    description = "Quantizes a network; prints what it did to each layer and one JSON object.")
final class QuantizeCommand implements Callable<Integer> {
  private static final int DEFAULT_BITS = 8;
  private static final int MIN_BITS = 2;
  private static final int MAX_BITS = 16;

  @Spec private CommandSpec spec;

  @Parameters(paramLabel = "MODEL", description = ModelFile.DESCRIPTION)
  private Path model;

  @Option(
      names = "--bits",
      paramLabel = "N",
      description = "Bits of a weight, 2 to 16 (default: 8).")
  private @Nullable Integer bits;

  @Mixin private CalibrationOptions calibration;

  @Mixin private SearchOptions search;

  @Mixin private PinOptions pins;

  @Option(
      names = "--config",
      paramLabel = "PLAN.json",
      description =
          "A precision plan that states the bits of every layer, by names or patterns, as --report"
              + " writes one (default: none).")
  private @Nullable Path config;

  @Option(
      names = "--out",
      paramLabel = "OUT.dq.zip",
      required = true,
      description = "Where to write the packed archive.")
  private Path out;

  @Option(
      names = "--plain",
      paramLabel = "OUT.zip",
      description =
          "A zip file of the same weights that Deeplearning4j opens without this tool, values not"
              + " quantized (default: not written).")
  private @Nullable Path plain;

  @Option(
      names = "--report",
      paramLabel = "DIR",
      description =
          "Where to write report.txt, report.html, report.json and plan.json (default: not"
              + " written).")
  private @Nullable Path report;

  @Mixin private DataOptions data;

  @SuppressWarnings("NullAway.Init") // picocli sets the fields
  private QuantizeCommand() {}

  @Override
  public Integer call() {
    checkOptions();
    ModelFile file = ModelFile.open(model);
    if (file.quantized().isPresent()) {
      tell("MODEL is quantized already: its codes are what is quantized now");
    }
    Quantization any = Quantization.of(file.network()).weightBits(bits());
    Quantization start = calibration.scheme().map(any::scheme).orElse(any);
    Quantization weights = pins.pin(file.normalizer().map(start::normalizer).orElse(start));
    ImmutableList<LayerStatistic> statistics = statistics(weights);
    Quantization quantization = calibration.calibrate(weights, file, data);
    Optional<SearchResult> found =
        search.isWanted() ? Optional.of(search(file, quantization, statistics)) : Optional.empty();
    PrecisionPlan plan = plan(quantization, statistics, found);
    ImmutableMap<String, String> raised =
        config == null ? quantization.raisedHeads() : quantization.raisedHeads(plan);
    write(quantization.convert(plan), raised, statistics, found);
    return 0;
  }

  private int bits() {
    return bits == null ? DEFAULT_BITS : bits;
  }

  private void checkOptions() {
    require(
        bits() >= MIN_BITS && bits() <= MAX_BITS, "--bits must be between 2 and 16, found " + bits);
    search.check(spec.commandLine(), bits(), config != null);
    calibration.check(spec.commandLine());
    pins.check(spec.commandLine(), calibration.isWanted());
    require(
        config == null
            || (bits == null && !search.ranks() && !calibration.statesBits() && !pins.areGiven()),
        "--config states the bits of every layer, so --bits, --activation-bits, --low-bits and pins"
            + " must not be given");
    require(plain == null || !same(plain, out), "--out and --plain must name different files");
    for (Path target : targets()) {
      require(!same(target, model), target + " would overwrite MODEL");
      require(!Files.isDirectory(target), target + " is a folder; name the file to write");
    }
    require(
        report == null || !Files.exists(report) || Files.isDirectory(report),
        "--report must name a folder, found the file " + report);
  }

  private ImmutableList<Path> targets() {
    return plain == null ? ImmutableList.of(out) : ImmutableList.of(out, plain);
  }

  private static boolean same(Path one, Path other) {
    return one.toAbsolutePath().normalize().equals(other.toAbsolutePath().normalize());
  }

  private void require(boolean condition, String message) {
    if (!condition) {
      throw new ParameterException(spec.commandLine(), message);
    }
  }

  private ImmutableList<LayerStatistic> statistics(Quantization quantization) {
    if (search.statistics().isPresent()) {
      return LayerStatistics.read(search.statistics().get(), quantization);
    }
    return search.ranks()
        ? LayerStatistics.ofNoise(quantization, search.lowBits())
        : ImmutableList.of();
  }

  private PrecisionPlan plan(
      Quantization quantization,
      ImmutableList<LayerStatistic> statistics,
      Optional<SearchResult> found) {
    if (config != null) {
      PrecisionPlan stated =
          PrecisionPlan.fromJson(LayerStatistics.read(config), config.toString());
      if (!calibration.isWanted() && !stated.fallback().keepsFloatActivations()) {
        tell("the activation bits in " + config + " have no effect without --calibration");
      }
      PrecisionPlan target = calibration.target().map(stated::with).orElse(stated);
      return calibration.scheme().map(target::with).orElse(target);
    }
    if (search.averageBits().isPresent()) {
      return lowered(quantization, statistics, search.averageBits().get());
    }
    return found.map(result -> result.best().plan()).orElseGet(quantization::plan);
  }

  /** Nothing tells how accurate it is, and that is said. */
  private PrecisionPlan lowered(
      Quantization quantization, ImmutableList<LayerStatistic> statistics, double averageBits) {
    PrecisionPlan plan =
        quantization.search(statistics).lowBits(search.lowBits()).build().plan(averageBits);
    double reached =
        plan.averageWeightBits(
            quantization.layers().stream()
                .collect(
                    ImmutableMap.toImmutableMap(
                        LayerDescription::name, LayerDescription::weightCount)));
    tell(
        String.format(
            Locale.ROOT,
            "a weight has %.2f bits on average%s; its accuracy was not measured",
            reached,
            reached > averageBits
                ? ", all layers that may have " + search.lowBits() + " lowered"
                : ""));
    return plan;
  }

  private SearchResult search(
      ModelFile file, Quantization quantization, ImmutableList<LayerStatistic> statistics) {
    NetworkOutput output =
        NetworkOutput.of(
            file.source(), file.network(), search.output(), SearchOptions.VALIDATION_OUTPUT);
    DataOptions.Data read = data.read(search.validation().orElseThrow(), file, output.name());
    ToDoubleFunction<PrecisionPlan> accuracy =
        plan ->
            Evaluation.of(
                    classifier(file.source(), quantization.convert(plan), output),
                    Optional.empty(),
                    read.inputs(),
                    read.examples())
                .accuracy();
    return quantization
        .search(statistics)
        .lowBits(search.lowBits())
        .maxDrop(search.maxDrop())
        .onTrial(
            trial ->
                tell(
                    String.format(
                        Locale.ROOT,
                        "%d layers at %d bits: accuracy %.4f",
                        trial.lowPrecisionLayers(),
                        search.lowBits(),
                        trial.metric())))
        .build()
        .run(accuracy);
  }

  /** A trial is measured as it will run: in integers if the network will compute in them. */
  private static Classifier classifier(String source, QuantizedModel trial, NetworkOutput output) {
    return trial.activations().isEmpty()
        ? Classifier.dl4j(source, trial.toNetwork(), trial.toNetwork(), output.index())
        : Classifier.integers(source, trial, output.index());
  }

  private void write(
      QuantizedModel quantized,
      ImmutableMap<String, String> raised,
      ImmutableList<LayerStatistic> statistics,
      Optional<SearchResult> found) {
    PackedArchive.write(quantized, out);
    if (plain != null) {
      PlainArchive.write(quantized, plain);
    }
    QuantizationReport rows =
        QuantizationReport.of(
                quantized,
                statistics.stream()
                    .collect(
                        ImmutableMap.toImmutableMap(LayerStatistic::layer, LayerStatistic::value)))
            .withRaised(raised);
    ObjectNode summary = summary(rows, quantized, found);
    if (report != null) {
      ReportFolder.write(report, rows, quantized, summary);
    }
    PrintWriter results = spec.commandLine().getOut();
    results.print(rows.table());
    computation(quantized).forEach(results::println);
    results.println(summary);
    results.flush();
  }

  private ImmutableList<String> computation(QuantizedModel quantized) {
    if (quantized.activations().isEmpty()) {
      return ImmutableList.of(
          calibration.isWanted()
              ? "The plan leaves every layer's values float: only weights are quantized."
              : "Only weights are quantized; with --calibration FILE the network computes in"
                  + " integers.");
    }
    ImmutableList<String> exceptions = Computation.of(quantized).exceptions();
    return ImmutableList.<String>builder()
        .add("The network computes in integers" + (exceptions.isEmpty() ? "." : ", but for:"))
        .addAll(exceptions)
        .build();
  }

  private ObjectNode summary(
      QuantizationReport rows, QuantizedModel quantized, Optional<SearchResult> found) {
    ObjectNode json = new ObjectMapper().createObjectNode();
    boolean integers = !quantized.activations().isEmpty();
    json.put("out", out.toString())
        .put("computesIn", integers ? "integers" : "floats")
        .put("target", integers ? quantized.plan().target().map(Target::word).orElse(null) : null)
        .put("scheme", quantized.plan().scheme().orElse(Scheme.FIXED_POINT).word())
        .put("weightStrategy", rows.provenance().weightStrategy())
        .put("activationStrategy", integers ? rows.provenance().activationStrategy() : null)
        .put("bytesBefore", rows.bytesBefore())
        .put("bytesAfter", rows.bytesAfter());
    if (rows.calibrationExamples() > 0) {
      json.put("calibrationExamples", rows.calibrationExamples())
          .put("leftOutExamples", rows.leftOutExamples());
    }
    found.ifPresent(
        result ->
            json.putObject("search")
                .put("lowPrecisionLayers", result.best().lowPrecisionLayers())
                .put("averageWeightBits", result.best().averageWeightBits())
                .put("baselineAccuracy", result.baseline().metric())
                .put("accuracy", result.best().metric())
                .put("evaluations", result.evaluations()));
    return json;
  }

  private void tell(String message) {
    spec.commandLine().getErr().println(message);
  }
}
