package org.dl4jquant.examples;

import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableMap;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.LongFunction;
import org.deeplearning4j.nn.api.Model;
import org.dl4jquant.Quantization;
import org.dl4jquant.dl4j.Dl4jNetwork;
import org.dl4jquant.precision.LayerDescription;
import org.dl4jquant.precision.LayerPrecision;
import org.dl4jquant.precision.PrecisionPlan;
import org.dl4jquant.precision.SensitivitySearch;
import org.dl4jquant.terminal.Progress;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;

/**
 * Which number that training or weights give for nothing tells what few bits cost a layer: for each
 * score of {@link LayerScores}, Spearman's correlation over the layers of a network with what is
 * measured when the weights of one layer alone are rounded, on the validation split: the growth of
 * the loss, and the divergence of what the network gives from what it gave.
 *
 * <p>A trial is kept in {@code scores.jsonl} as it finishes, so that a study that was interrupted
 * goes on where it was; a network that lacks a width is trained again. Run it with {@code
 * OMP_NUM_THREADS=1}.
 */
public final class ScoreStudy {
  static final ImmutableList<TrainingSubject> SUBJECTS =
      ImmutableList.of(
          new TrainingSubject(
              "digits deep MLP",
              seed -> Networks.deepMlp(64, Digits.CLASSES, seed),
              Digits::vectors,
              24,
              6),
          digits("plain CNN", seed -> Networks.plainCnn(8, Digits.CLASSES, seed), 12),
          digits("batch-norm CNN", seed -> Networks.batchNormCnn(8, Digits.CLASSES, seed), 12),
          digits("residual graph", seed -> Networks.residual(8, Digits.CLASSES, seed), 6),
          new TrainingSubject(
              "Fashion deep MLP",
              seed -> Networks.deepMlp(784, FashionMini.CLASSES, seed),
              seed -> small(FashionMini.vectors(seed)),
              12,
              3),
          digits("deep CNN", seed -> Networks.deepCnn(8, Digits.CLASSES, seed), 12),
          new TrainingSubject(
              "Fashion deep CNN",
              seed -> Networks.deepCnn(28, FashionMini.CLASSES, seed),
              seed -> small(FashionMini.images(seed)),
              8,
              2));

  private static final ImmutableList<Long> SEEDS = ImmutableList.of(42L, 43L, 44L, 45L, 46L);
  private static final ImmutableList<Integer> LOW_BITS = ImmutableList.of(4, 3, 2);
  private static final int SMALL = 1000;
  private static final int SMALL_VALIDATION = 400;

  private final Path directory;

  ScoreStudy(Path directory) {
    this.directory = directory;
  }

  private static TrainingSubject digits(String name, LongFunction<Model> network, int epochs) {
    return new TrainingSubject("digits " + name, network, Digits::images, epochs, epochs / 4);
  }

  private static Split small(Split all) {
    return new Split(
        Split.first(all.train(), SMALL),
        Split.first(all.validation(), SMALL_VALIDATION),
        all.test());
  }

  /**
   * Runs the study, or what is left of it, with the tables after each kind of network.
   *
   * @param arguments the directory for the trials and {@code scores.md}
   */
  public static void main(String[] arguments) throws IOException {
    Path directory = Path.of(arguments.length > 0 ? arguments[0] : "scores");
    ScoreStudy study = new ScoreStudy(directory);
    ImmutableList.Builder<ScoreTrial> trials = ImmutableList.builder();
    for (TrainingSubject subject : SUBJECTS) {
      trials.addAll(study.run(List.of(subject), SEEDS, LOW_BITS));
      ScoreTable growth = ScoreTable.of(trials.build(), ScoreTrial::growth);
      ScoreTable divergence = ScoreTable.of(trials.build(), ScoreTrial::divergence);
      Files.writeString(
          directory.resolve("scores.md"),
          growth.summary().markdown()
              + divergence.summary().markdown()
              + growth.markdown()
              + divergence.markdown());
    }
    System.out.print(Files.readString(directory.resolve("scores.md")));
  }

  /** Returns the trials of every subject with every seed at every width, in this order. */
  ImmutableList<ScoreTrial> run(
      List<TrainingSubject> subjects, List<Long> seeds, List<Integer> widths) throws IOException {
    Files.createDirectories(directory);
    Path file = directory.resolve("scores.jsonl");
    List<ScoreTrial> known = TrialFile.read(file, ScoreTrial.class);
    ImmutableList.Builder<ScoreTrial> trials = ImmutableList.builder();
    try (Progress progress = Progress.start("study", (long) subjects.size() * seeds.size())) {
      for (TrainingSubject subject : subjects) {
        for (long seed : seeds) {
          trials.addAll(trials(subject, seed, widths, known, file));
          progress.step(subject.name());
        }
      }
    }
    return trials.build();
  }

  private static List<ScoreTrial> trials(
      TrainingSubject subject, long seed, List<Integer> widths, List<ScoreTrial> known, Path file)
      throws IOException {
    ImmutableList.Builder<ScoreTrial> trials = ImmutableList.builder();
    Split data = null;
    LayerScores scores = null;
    for (int bits : widths) {
      var before = known.stream().filter(t -> t.isOf(subject, seed, bits)).findFirst();
      if (before.isPresent()) {
        trials.add(before.get());
        continue;
      }
      data = data == null ? subject.data().apply(seed) : data;
      scores = scores == null ? new LayerScores(subject, data.train(), seed) : scores;
      ScoreTrial trial = trial(subject, seed, bits, scores, data);
      TrialFile.append(file, trial);
      trials.add(trial);
    }
    return trials.build();
  }

  private static ScoreTrial trial(
      TrainingSubject subject, long seed, int bits, LayerScores scores, Split data) {
    Quantization quantization = scores.quantization();
    DataSet validation = data.validation();
    PrecisionPlan floats = PrecisionPlan.uniform(LayerPrecision.FLOAT);
    INDArray exact = output(quantization, floats, validation);
    Map<PrecisionPlan, Double> divergences = new HashMap<>();
    SensitivitySearch measured =
        SensitivitySearch.measure(
            quantization.layers(),
            floats,
            bits,
            plan -> {
              INDArray output = output(quantization, plan, validation);
              divergences.put(plan, divergence(exact, output));
              return FineTuningStudy.loss(output, validation);
            });
    List<String> layers = measured.layers().stream().map(LayerDescription::name).toList();
    ImmutableMap.Builder<String, List<Double>> values = ImmutableMap.builder();
    scores
        .at(bits)
        .forEach((name, own) -> values.put(name, layers.stream().map(own::get).toList()));
    return new ScoreTrial(
        subject.name(),
        seed,
        bits,
        layers,
        layers.stream().map(measured::increase).toList(),
        layers.stream()
            .map(own -> floats.with(own, LayerPrecision.FLOAT.withWeightBits(bits)))
            .map(plan -> Objects.requireNonNull(divergences.get(plan)))
            .toList(),
        values.buildOrThrow());
  }

  private static INDArray output(Quantization quantization, PrecisionPlan plan, DataSet data) {
    return Dl4jNetwork.of(quantization.convert(plan).toNetwork())
        .output(data.getFeatures())
        .get(0)
        .dup();
  }

  /** Returns the mean over examples; no probability counts as less than 1e-7. */
  static double divergence(INDArray exact, INDArray output) {
    double sum = 0;
    for (int e = 0; e < exact.size(0); e++) {
      for (int c = 0; c < exact.size(1); c++) {
        double p = Math.max(1e-7, exact.getDouble(e, c));
        sum += p * Math.log(p / Math.max(1e-7, output.getDouble(e, c)));
      }
    }
    return sum / exact.size(0);
  }
}
