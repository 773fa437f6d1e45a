package org.dl4jquant.examples;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableListMultimap;
import com.google.common.collect.ImmutableMap;
import com.google.common.math.Stats;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.listeners.LimitedPrecisionListener;
import org.dl4jquant.terminal.Progress;
import org.dl4jquant.update.UpdateRule;
import org.dl4jquant.update.UpdateStatistics;
import org.nd4j.linalg.dataset.DataSet;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/**
 * Trains one network in five ways: in floats, and with all weights and biases on a coarse grid
 * while updates are accumulated (method C), carried as residual gradients (method D), rounded, or
 * rounded by chance.
 *
 * <p>Adam's steps of about 0.001 are smaller than half a step of an 8-bit weight, so rounding loses
 * every one of them. Prints a table, writes {@code curves.csv} and {@code curves.svg} (validation
 * accuracy by epoch, first seed), {@code table.md} and {@code result.json}, and ends with one line
 * of JSON: the final test accuracies, means over the seeds.
 */
@Command(name = "LimitedPrecisionTraining", mixinStandardHelpOptions = true)
public final class LimitedPrecisionTraining implements Callable<Integer> {
  private static final int BATCH = 32;
  private static final int DIGIT_PIXELS = 64;
  private static final int FASHION_SIZE = 28;

  /** The bundled data sets, each with a network that fits. */
  enum Data {
    DIGITS,
    FASHION;

    private Split split(long seed) {
      return this == DIGITS ? Digits.vectors(seed) : FashionMini.images(seed);
    }

    private MultiLayerNetwork network(long seed) {
      return this == DIGITS
          ? Networks.mlp(DIGIT_PIXELS, Digits.CLASSES, seed)
          : Networks.plainCnn(FASHION_SIZE, FashionMini.CLASSES, seed);
    }
  }

  @Spec private CommandSpec command = CommandSpec.create();

  @Option(names = "--data", description = "DIGITS or FASHION; default ${DEFAULT-VALUE}")
  private Data data = Data.DIGITS;

  @Option(names = "--bits", description = "of weights and biases; default ${DEFAULT-VALUE}")
  private int bits = 8;

  @Option(names = "--learning-rate", description = "of Adam; default ${DEFAULT-VALUE}")
  private double learningRate = 1e-3;

  @Option(names = "--epochs", description = "default ${DEFAULT-VALUE}")
  private int epochs = 20;

  @Option(names = "--seeds", description = "how many runs; default ${DEFAULT-VALUE}")
  private int seeds = 1;

  @Option(names = "--folder", description = "where to write; default ${DEFAULT-VALUE}")
  private Path folder = defaultFolder();

  private LimitedPrecisionTraining() {}

  /** Runs it; {@code --help} lists the options. */
  public static void main(String[] arguments) {
    int status = run(arguments);
    if (status != 0) {
      System.exit(status);
    }
  }

  static int run(String... arguments) {
    return new CommandLine(new LimitedPrecisionTraining())
        .setCaseInsensitiveEnumValuesAllowed(true)
        .execute(arguments);
  }

  private static Path defaultFolder() {
    Path module = Path.of("dl4j-quant-examples");
    return (Files.isDirectory(module) ? module : Path.of("")).resolve("target/limited-precision");
  }

  @Override
  public Integer call() throws IOException {
    require(bits >= 2 && bits <= UpdateRule.MAX_BIT_WIDTH, "--bits must be 2 to 24, found " + bits);
    require(epochs >= 1, "--epochs must be positive, found " + epochs);
    require(seeds >= 1, "--seeds must be positive, found " + seeds);
    require(learningRate > 0, "--learning-rate must be positive, found " + learningRate);
    Files.createDirectories(folder);
    ImmutableListMultimap.Builder<UpdateScheme, Double> accuracies =
        ImmutableListMultimap.builder();
    ImmutableMap.Builder<String, ImmutableList<Double>> curves = ImmutableMap.builder();
    try (Progress progress =
        Progress.start("training", (long) seeds * UpdateScheme.values().length)) {
      for (int seed = 1; seed <= seeds; seed++) {
        for (UpdateScheme scheme : UpdateScheme.values()) {
          Run run = train(scheme, seed);
          accuracies.put(scheme, run.accuracy());
          if (seed == 1) {
            curves.put(scheme.label(), run.curve());
            say("%s", run.describe(scheme));
          }
          progress.step();
        }
      }
    }
    write(accuracies.build(), curves.buildOrThrow());
    return 0;
  }

  private void require(boolean holds, String message) {
    if (!holds) {
      throw new ParameterException(command.commandLine(), message);
    }
  }

  private Run train(UpdateScheme scheme, long seed) {
    Split split = data.split(seed);
    MultiLayerNetwork network = data.network(seed);
    network.setLearningRate(learningRate);
    var listener = scheme.listener(bits, seed);
    listener.ifPresent(attached -> attached.attachTo(network));
    ImmutableList.Builder<Double> curve = ImmutableList.builder();
    curve.add(accuracy(network, split.validation()));
    for (int epoch = 0; epoch < epochs; epoch++) {
      network.fit(Split.shuffledBatches(split.train(), BATCH, seed * epochs + epoch));
      curve.add(accuracy(network, split.validation()));
    }
    UpdateStatistics updates =
        listener.map(LimitedPrecisionTraining::total).orElse(UpdateStatistics.NONE);
    return new Run(curve.build(), accuracy(network, split.test()), updates);
  }

  private static UpdateStatistics total(LimitedPrecisionListener listener) {
    return listener.statistics().values().stream()
        .reduce(UpdateStatistics.NONE, UpdateStatistics::and);
  }

  private static double accuracy(MultiLayerNetwork network, DataSet part) {
    return network.evaluate(Split.batches(part, 256)).accuracy();
  }

  private void write(
      ImmutableListMultimap<UpdateScheme, Double> accuracies,
      ImmutableMap<String, ImmutableList<Double>> curves)
      throws IOException {
    String title =
        String.format(
            Locale.ROOT,
            "%s, %d-bit weights, validation accuracy",
            data == Data.DIGITS ? "Digits" : "Fashion-MNIST (mini)",
            bits);
    LearningCurves plot = new LearningCurves(title, curves);
    Files.writeString(folder.resolve("curves.csv"), plot.csv());
    Files.writeString(folder.resolve("curves.svg"), plot.svg());
    String table = table(accuracies);
    Files.writeString(folder.resolve("table.md"), table);
    say("%n%s%nwrote %s", table, folder);
    ObjectMapper mapper = new ObjectMapper();
    ObjectNode means = mapper.createObjectNode();
    for (UpdateScheme scheme : UpdateScheme.values()) {
      means.put(scheme.label(), Stats.meanOf(accuracies.get(scheme)));
    }
    String json = mapper.writeValueAsString(means);
    Files.writeString(folder.resolve("result.json"), json + "\n");
    say("%s", json);
  }

  /** Returns the test accuracies as a Markdown table. */
  private String table(ImmutableListMultimap<UpdateScheme, Double> accuracies) {
    StringBuilder text =
        new StringBuilder(
            String.format(
                Locale.ROOT,
                "%s, %d bits, %d epochs, %d seed(s), test accuracy in %%%n%n",
                data.name().toLowerCase(Locale.ROOT),
                bits,
                epochs,
                seeds));
    text.append("| updates | mean | std. dev. | lowest | highest |\n|---|---|---|---|---|\n");
    for (UpdateScheme scheme : UpdateScheme.values()) {
      Stats stats = Stats.of(accuracies.get(scheme));
      text.append(
          String.format(
              Locale.ROOT,
              "| %s | %.2f | %s | %.2f | %.2f |%n",
              scheme.label(),
              100 * stats.mean(),
              seeds == 1
                  ? "–"
                  : String.format(Locale.ROOT, "%.2f", 100 * stats.sampleStandardDeviation()),
              100 * stats.min(),
              100 * stats.max()));
    }
    return text.toString();
  }

  private static void say(String format, Object... arguments) {
    System.out.println(String.format(Locale.ROOT, format, arguments));
  }

  /**
   * One training.
   *
   * @param curve validation accuracy before the first and after every epoch
   * @param accuracy on the test part, at the end
   * @param updates what happened to all weights together
   */
  private record Run(ImmutableList<Double> curve, double accuracy, UpdateStatistics updates) {
    String describe(UpdateScheme scheme) {
      String text =
          String.format(
              Locale.ROOT, "%-12s test accuracy %6.2f %%", scheme.label(), 100 * accuracy);
      return scheme == UpdateScheme.FLOAT
          ? text
          : String.format(
              Locale.ROOT,
              "%s, %.2f %% of the updates below half a step, %.3f %% of the weights moved per step",
              text,
              100 * updates.deadZoneShare(),
              100 * updates.movedShare());
    }
  }
}
