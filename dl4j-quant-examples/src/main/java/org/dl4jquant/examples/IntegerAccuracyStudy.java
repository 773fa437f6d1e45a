package org.dl4jquant.examples;

import com.google.common.collect.ImmutableList;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongFunction;
import java.util.function.UnaryOperator;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.layers.BaseLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.util.ModelSerializer;
import org.dl4jquant.Quantization;
import org.dl4jquant.calibrate.Calibration;
import org.dl4jquant.calibrate.CalibrationExamples;
import org.dl4jquant.calibrate.CalibrationResult;
import org.dl4jquant.convert.QuantizedModel;
import org.dl4jquant.dl4j.Dl4jNetwork;
import org.dl4jquant.dl4j.FoldedNetwork;
import org.dl4jquant.dl4j.Tensors;
import org.dl4jquant.execute.IntegerNetwork;
import org.dl4jquant.stats.Sqnr;
import org.dl4jquant.strategy.FormatStrategy;
import org.dl4jquant.tensor.Tensor;
import org.dl4jquant.terminal.Progress;
import org.nd4j.linalg.activations.impl.ActivationIdentity;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;

/**
 * What accuracy costs integers: five kinds of networks on both bundled data sets, trained with five
 * seeds each, then quantized in several ways without any fine-tuning, and run by {@code
 * IntegerNetwork} on the test split.
 *
 * <p>Formats are chosen from the first examples of the training split; nothing is chosen by the
 * test split. Trained networks and trials are kept in a directory; a run that was stopped goes on
 * where it was. On a busy machine, {@code OMP_NUM_THREADS=1} makes it several times faster.
 */
public final class IntegerAccuracyStudy {
  /**
   * One kind of network on one data set.
   *
   * @param untrained makes one of a seed
   * @param split of a seed
   */
  public record Subject(
      String data,
      String network,
      LongFunction<Model> untrained,
      LongFunction<Split> split,
      int epochs) {}

  /**
   * One way to quantize.
   *
   * @param examples to calibrate with
   */
  record Setting(String name, int examples, UnaryOperator<Quantization> way) {
    static Setting of(int weightBits, int activationBits, String strategy, int examples) {
      return new Setting(
          "W%dA%d %s, %d images".formatted(weightBits, activationBits, strategy, examples),
          examples,
          start ->
              start
                  .weightBits(weightBits)
                  .activationBits(activationBits)
                  .strategy(FormatStrategy.named(strategy)));
    }

    Setting withoutBiasCorrection() {
      return new Setting(
          name + ", biases as they are",
          examples,
          start -> {
            Quantization usual = way.apply(start);
            return usual.conversion(usual.conversion().withBiasCorrection(false));
          });
    }
  }

  private static final int FEW = 10;
  private static final int MANY = 500;

  static final ImmutableList<Setting> SETTINGS =
      ImmutableList.of(
          Setting.of(8, 8, "mse", MANY),
          Setting.of(8, 8, "max-abs", MANY),
          Setting.of(8, 8, "percentile", MANY),
          Setting.of(8, 8, "sigma", MANY),
          Setting.of(8, 8, "kl", MANY),
          Setting.of(8, 8, "mse", FEW),
          Setting.of(8, 8, "mse", MANY).withoutBiasCorrection(),
          Setting.of(6, 6, "mse", MANY),
          Setting.of(4, 8, "mse", MANY),
          Setting.of(4, 8, "mse", MANY).withoutBiasCorrection());

  /** Five kinds of networks, each on both bundled data sets. */
  public static final ImmutableList<Subject> SUBJECTS =
      ImmutableList.of(
          digits("MLP", s -> Networks.mlp(64, Digits.CLASSES, s), Digits::vectors, 40),
          digits("plain CNN", s -> Networks.plainCnn(8, Digits.CLASSES, s), Digits::images, 20),
          digits(
              "batch-norm CNN",
              s -> Networks.batchNormCnn(8, Digits.CLASSES, s),
              Digits::images,
              20),
          digits(
              "residual graph", s -> Networks.residual(8, Digits.CLASSES, s), Digits::images, 20),
          digits("LSTM", s -> Networks.lstm(8, Digits.CLASSES, s), Digits::sequences, 40),
          fashion("MLP", s -> Networks.mlp(784, Digits.CLASSES, s), FashionMini::vectors, 20),
          fashion("LSTM", s -> Networks.lstm(28, Digits.CLASSES, s), FashionMini::sequences, 20),
          fashion(
              "plain CNN", s -> Networks.plainCnn(28, Digits.CLASSES, s), FashionMini::images, 8),
          fashion(
              "batch-norm CNN",
              s -> Networks.batchNormCnn(28, Digits.CLASSES, s),
              FashionMini::images,
              8),
          fashion(
              "residual graph",
              s -> Networks.residual(28, Digits.CLASSES, s),
              FashionMini::images,
              8));

  static final ImmutableList<Long> SEEDS = ImmutableList.of(42L, 43L, 44L, 45L, 46L);
  private static final int BATCH = 32;

  private final Path directory;

  /** A study that keeps trained networks and trials in a directory. */
  public IntegerAccuracyStudy(Path directory) {
    this.directory = directory;
  }

  private static Subject digits(
      String network, LongFunction<Model> untrained, LongFunction<Split> split, int epochs) {
    return new Subject("digits", network, untrained, split, epochs);
  }

  private static Subject fashion(
      String network, LongFunction<Model> untrained, LongFunction<Split> split, int epochs) {
    return new Subject("Fashion", network, untrained, split, epochs);
  }

  /**
   * Runs the study, or what is left of it.
   *
   * @param arguments the directory, which is made if there is none
   */
  public static void main(String[] arguments) throws IOException {
    Path directory = Path.of(arguments.length > 0 ? arguments[0] : "integer-accuracy");
    AccuracyTable table = new IntegerAccuracyStudy(directory).run(SUBJECTS, SEEDS, SETTINGS);
    System.out.print(table.markdown());
    Files.writeString(directory.resolve("table.md"), table.markdown());
  }

  /** Returns the trials of all subjects, seeds and settings, in this order. */
  AccuracyTable run(List<Subject> subjects, List<Long> seeds, List<Setting> settings)
      throws IOException {
    Files.createDirectories(directory);
    ImmutableList.Builder<AccuracyTrial> trials = ImmutableList.builder();
    try (Progress progress = Progress.start("study", (long) subjects.size() * seeds.size())) {
      for (Subject subject : subjects) {
        for (long seed : seeds) {
          trials.addAll(trials(subject, seed, settings));
          progress.step(subject.network());
        }
      }
    }
    return new AccuracyTable(trials.build());
  }

  private List<AccuracyTrial> trials(Subject subject, long seed, List<Setting> settings)
      throws IOException {
    Path file = directory.resolve("trials.jsonl");
    List<AccuracyTrial> known = TrialFile.read(file, AccuracyTrial.class);
    List<AccuracyTrial> trials = new ArrayList<>();
    List<Setting> missing = new ArrayList<>();
    for (Setting setting : settings) {
      known.stream()
          .filter(t -> t.isOf(subject.data(), subject.network(), seed, setting.name()))
          .findFirst()
          .ifPresentOrElse(trials::add, () -> missing.add(setting));
    }
    if (missing.isEmpty()) {
      return trials;
    }
    Split data = subject.split().apply(seed);
    Model network = trained(subject, seed, data.train());
    float[] logits = logits(network, data.test().getFeatures());
    double floatAccuracy = accuracy(logits, data.test());
    Map<Integer, UnaryOperator<Quantization>> calibrations = new HashMap<>();
    for (Setting setting : missing) {
      UnaryOperator<Quantization> calibration =
          calibrations.computeIfAbsent(
              setting.examples(), count -> calibration(network, Split.first(data.train(), count)));
      QuantizedModel model =
          setting.way().apply(calibration.apply(Quantization.of(network))).convert();
      float[] quantized = integerLogits(model, data.test().getFeatures());
      AccuracyTrial trial =
          new AccuracyTrial(
              subject.data(),
              subject.network(),
              seed,
              setting.name(),
              floatAccuracy,
              accuracy(quantized, data.test()),
              Sqnr.decibels(logits, quantized));
      TrialFile.append(file, trial);
      trials.add(trial);
    }
    return trials;
  }

  /** Calibrates once for many conversions. */
  private static UnaryOperator<Quantization> calibration(Model network, DataSet data) {
    CalibrationExamples.Collector kept = new CalibrationExamples.Collector();
    CalibrationResult seen =
        Calibration.of(FoldedNetwork.of(Dl4jNetwork.of(network)).network())
            .withInputs(kept)
            .run(Split.batches(data, BATCH));
    CalibrationExamples examples = kept.examples().orElseThrow();
    return quantization -> quantization.calibration(seen).examples(examples);
  }

  /** Returns the network of an earlier run, if there is one, else trains it and keeps it. */
  public Model trained(Subject subject, long seed, DataSet data) throws IOException {
    String name = subject.data() + " " + subject.network() + " " + seed;
    Path file = directory.resolve(name.replace(' ', '-') + ".zip");
    Model network = subject.untrained().apply(seed);
    if (Files.exists(file)) {
      return network instanceof ComputationGraph
          ? ModelSerializer.restoreComputationGraph(file.toFile())
          : ModelSerializer.restoreMultiLayerNetwork(file.toFile());
    }
    for (int epoch = 0; epoch < subject.epochs(); epoch++) {
      DataSetIterator batches = Split.shuffledBatches(data, BATCH, seed + epoch);
      if (network instanceof ComputationGraph graph) {
        graph.fit(batches);
      } else {
        ((MultiLayerNetwork) network).fit(batches);
      }
    }
    ModelSerializer.writeModel(network, file.toFile(), false);
    return network;
  }

  /** Returns what the network gives before its softmax, row by row. */
  static float[] logits(Model network, INDArray features) {
    Dl4jNetwork copy = Dl4jNetwork.of(network).copy();
    BaseLayer last =
        copy.model() instanceof ComputationGraph graph
            ? (BaseLayer) graph.getLayer("output").conf().getLayer()
            : (BaseLayer) ((MultiLayerNetwork) copy.model()).getLayer("output").conf().getLayer();
    last.setActivationFn(new ActivationIdentity());
    return Tensors.of(copy.output(features).get(0)).values();
  }

  static float[] integerLogits(QuantizedModel model, INDArray features) {
    IntegerNetwork integers = model.toIntegerNetwork();
    Tensor input = Tensors.of(features);
    return integers.layerCodes("output/preactivation", input).dequantize().values();
  }

  static double accuracy(float[] logits, DataSet data) {
    int examples = data.numExamples();
    int classes = logits.length / examples;
    INDArray labels = data.getLabels().argMax(1);
    int right = 0;
    for (int e = 0; e < examples; e++) {
      int best = 0;
      for (int c = 1; c < classes; c++) {
        best = logits[e * classes + c] > logits[e * classes + best] ? c : best;
      }
      right += best == labels.getInt(e) ? 1 : 0;
    }
    return (double) right / examples;
  }
}
