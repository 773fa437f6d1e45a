package org.dl4jquant.cli;

import static com.google.common.collect.ImmutableList.toImmutableList;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.google.common.base.Suppliers;
import com.google.common.collect.ImmutableList;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.function.Supplier;
import org.dl4jquant.convert.QuantizedModel;
import org.dl4jquant.graph.Shape;
import org.dl4jquant.onnx.OnnxModel;
import org.dl4jquant.onnx.UnsupportedOnnxException;
import org.dl4jquant.onnxruntime.OnnxNetwork;
import org.dl4jquant.onnxruntime.OnnxRuntimeOptions;
import org.dl4jquant.terminal.Progress;
import org.dl4jquant.terminal.TextTable;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.INDArrayIndex;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.nd4j.linalg.indexing.SpecifiedIndex;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Measures how fast a network is computed in several ways. */
@Command(
    name = "benchmark",
    description =
        "Measures how fast DL4J, integers and ONNX Runtime compute a network; prints a table and"
            + " one JSON object. A float network is converted first, for its speed alone.")
final class BenchmarkCommand implements Callable<Integer> {
  private static final int CALIBRATED = 32;
  private static final double MILLIS_PER_SECOND = 1e3;
  private static final double MAX_SECONDS = 3600;

  @Spec private CommandSpec spec;

  @Parameters(paramLabel = "MODEL", description = ModelFile.DESCRIPTION)
  private Path model;

  @Option(
      names = "--batch",
      split = ",",
      paramLabel = "N",
      defaultValue = "1,32,256",
      description = "Sizes of a batch (default: ${DEFAULT-VALUE}).")
  private int[] batches = {};

  @Option(
      names = "--seconds",
      paramLabel = "S",
      defaultValue = "5",
      description = "How long each size of a batch is run (default: ${DEFAULT-VALUE}).")
  private double seconds;

  @Option(
      names = "--data",
      paramLabel = "FILE",
      description =
          "Examples to compute, as evaluate takes them, labels unused (default: random numbers).")
  private @Nullable String data;

  @Option(
      names = "--onnx",
      paramLabel = "FILE",
      description =
          "An ONNX file of MODEL to measure (default: what export --onnx makes of the integers).")
  private @Nullable Path onnx;

  @Mixin private ShapeOption shape;

  @Mixin private DataOptions dataOptions;

  @SuppressWarnings("NullAway.Init") // picocli sets the fields
  private BenchmarkCommand() {}

  @Override
  public Integer call() {
    checkOptions();
    ModelFile file = ModelFile.open(model);
    ImmutableList<INDArray> examples = examples(file);
    ImmutableList<Contender> contenders = contenders(file, examples);
    TextTable table = new TextTable("batch", "engine", "ms", "examples/s", "speedup", "quartiles");
    ObjectNode json = new ObjectMapper().createObjectNode();
    ArrayNode results = json.putArray("results");
    try (Progress progress = Progress.start("measuring", batches.length)) {
      for (int batch : batches) {
        INDArray[] inputs = repeated(examples, batch);
        for (Race.Result result : Race.run(contenders, seconds, inputs)) {
          row(table, batch, result);
          add(results.addObject(), batch, result);
        }
        progress.step();
      }
    }
    PrintWriter out = spec.commandLine().getOut();
    out.print(table);
    out.println(json);
    out.flush();
    return 0;
  }

  private void checkOptions() {
    if (batches.length == 0 || Arrays.stream(batches).anyMatch(batch -> batch < 1)) {
      throw new ParameterException(
          spec.commandLine(), "--batch must be at least 1, found " + Arrays.toString(batches));
    }
    if (!(seconds > 0 && seconds <= MAX_SECONDS)) {
      throw new ParameterException(
          spec.commandLine(), "--seconds must be more than 0, at most 3600, found " + seconds);
    }
  }

  private ImmutableList<INDArray> examples(ModelFile file) {
    if (data != null) {
      return dataOptions.read(data, file).inputs();
    }
    return shape.of(file, false).values().stream()
        .map(BenchmarkCommand::random)
        .collect(toImmutableList());
  }

  /** Numbers from 0 to 1, which an embedding takes as the index 0. */
  private static INDArray random(Shape example) {
    int[] sizes = example.withBatch(CALIBRATED);
    return Nd4j.rand(Arrays.stream(sizes).asLongStream().toArray());
  }

  private ImmutableList<Contender> contenders(ModelFile file, ImmutableList<INDArray> examples) {
    ImmutableList.Builder<Contender> contenders = ImmutableList.builder();
    Contender dl4j = Contender.dl4j(file.network());
    INDArray[] few = repeated(examples, CALIBRATED);
    try {
      dl4j.run().accept(few);
    } catch (RuntimeException e) { // whatever DL4J throws at shapes that do not fit
      throw InputShapes.misfit(file.source(), file.network(), few, e);
    }
    contenders.add(dl4j);
    add(contenders, "ONNX float", () -> onnx("ONNX float", OnnxModels.floats(file.network())));
    Supplier<QuantizedModel> integers = Suppliers.memoize(() -> Contender.integers(file, few));
    add(contenders, "integer", () -> Contender.integers(integers.get()));
    add(
        contenders,
        "ONNX int8",
        () ->
            onnx == null
                ? onnx("ONNX int8", OnnxModels.quantized(integers.get()))
                : Contender.onnx(onnx.getFileName().toString(), OnnxNetwork.open(onnx)));
    return contenders.build();
  }

  private static Contender onnx(String name, OnnxModel model) {
    return Contender.onnx(name, OnnxNetwork.of(model, OnnxRuntimeOptions.DEFAULTS));
  }

  /** Leaves out what this network cannot be, and says so. */
  private void add(
      ImmutableList.Builder<Contender> contenders, String name, Supplier<Contender> contender) {
    try {
      contenders.add(contender.get());
    } catch (IllegalArgumentException | UnsupportedOnnxException e) {
      spec.commandLine().getErr().println("without " + name + ": " + Messages.of(e));
    }
  }

  private static INDArray[] repeated(List<INDArray> examples, int batch) {
    long[] rows = new long[batch];
    for (int i = 0; i < batch; i++) {
      rows[i] = i % examples.get(0).size(0);
    }
    return examples.stream()
        .map(
            array -> {
              INDArrayIndex[] index = new INDArrayIndex[array.rank()];
              Arrays.fill(index, NDArrayIndex.all());
              index[0] = new SpecifiedIndex(rows);
              return array.get(index).dup('c');
            })
        .toArray(INDArray[]::new);
  }

  private static void row(TextTable table, int batch, Race.Result result) {
    table.add(
        String.valueOf(batch),
        result.name(),
        String.format(Locale.ROOT, "%.3f", result.millis()),
        String.format(Locale.ROOT, "%.0f", batch * MILLIS_PER_SECOND / result.millis()),
        String.format(Locale.ROOT, "%.2f", result.speedup()),
        String.format(Locale.ROOT, "[%.2f, %.2f]", result.lowest(), result.highest()));
  }

  private static void add(ObjectNode json, int batch, Race.Result result) {
    json.put("batch", batch)
        .put("engine", result.name().toLowerCase(Locale.ROOT))
        .put("milliseconds", result.millis())
        .put("examplesPerSecond", batch * MILLIS_PER_SECOND / result.millis())
        .put("speedup", result.speedup())
        .put("speedupQuartile1", result.lowest())
        .put("speedupQuartile3", result.highest());
  }
}
