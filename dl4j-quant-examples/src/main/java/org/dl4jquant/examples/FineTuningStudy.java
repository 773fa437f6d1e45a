package org.dl4jquant.examples;

import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableMap;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.ToDoubleFunction;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.transferlearning.FineTuneConfiguration;
import org.dl4jquant.Quantization;
import org.dl4jquant.convert.QuantizedModel;
import org.dl4jquant.convert.WeightedEntropyCodebooks;
import org.dl4jquant.dl4j.Dl4jNetwork;
import org.dl4jquant.examples.IntegerAccuracyStudy.Subject;
import org.dl4jquant.finetune.FineTuningRun;
import org.dl4jquant.finetune.MixedPrecisionFineTuning;
import org.dl4jquant.precision.LayerDescription;
import org.dl4jquant.precision.OutputHead;
import org.dl4jquant.precision.PrecisionPlan;
import org.dl4jquant.precision.SensitivitySearch;
import org.dl4jquant.terminal.Progress;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.schedule.ExponentialSchedule;
import org.nd4j.linalg.schedule.ScheduleType;

/**
 * What fine-tuning gives back of the accuracy that few bits cost: the networks of {@link
 * IntegerAccuracyStudy}, rounded and then trained on for some epochs, and run by {@code
 * IntegerNetwork} on the test split.
 *
 * <p>Formats are chosen from the first examples of the training split, mixed plans by the
 * validation split. Trained networks and trials are kept in a directory; a run that was stopped
 * goes on where it was. On a busy machine, {@code OMP_NUM_THREADS=1} makes it several times faster.
 */
public final class FineTuningStudy {
  /**
   * One way to quantize.
   *
   * @param averageBits of a mixed plan; 0 for the same bits everywhere
   * @param levels whether weights have levels of weighted entropy
   * @param learned whether steps of weights and activations are learned, until the last epoch
   * @param epochs of fine-tuning
   */
  record Setting(
      String name,
      int weightBits,
      int activationBits,
      double averageBits,
      boolean levels,
      boolean learned,
      int epochs) {
    static Setting uniform(int weightBits, int activationBits) {
      String name = "W%dA%d".formatted(weightBits, activationBits);
      return new Setting(name, weightBits, activationBits, 0, false, false, FEW_EPOCHS);
    }

    Setting withLevels() {
      return new Setting(
          name + " G", weightBits, activationBits, averageBits, true, learned, epochs);
    }

    Setting withLearnedSteps() {
      return new Setting(
          name + " LSQ", weightBits, activationBits, averageBits, levels, true, epochs);
    }

    Setting forEpochs(int number) {
      String longer = name + ", " + number + " epochs";
      return new Setting(longer, weightBits, activationBits, averageBits, levels, learned, number);
    }

    static Setting mixed(int lowBits, double averageBits) {
      String name = "W8/" + lowBits + "A8 mixed";
      return new Setting(name, lowBits, 8, averageBits, false, false, FEW_EPOCHS);
    }
  }

  private static final int FEW_EPOCHS = 6;
  private static final int MANY_EPOCHS = 24;

  static final ImmutableList<Setting> SETTINGS =
      ImmutableList.of(
          Setting.uniform(4, 8),
          Setting.mixed(4, 5),
          Setting.uniform(3, 6).withLevels(),
          Setting.uniform(3, 4).withLevels(),
          Setting.uniform(3, 6),
          Setting.uniform(2, 8),
          Setting.uniform(4, 8).forEpochs(MANY_EPOCHS),
          Setting.uniform(3, 6).withLevels().forEpochs(MANY_EPOCHS),
          Setting.uniform(3, 6).forEpochs(MANY_EPOCHS),
          Setting.uniform(4, 8).withLearnedSteps(),
          Setting.uniform(2, 8).withLearnedSteps(),
          Setting.uniform(4, 4),
          Setting.uniform(4, 4).withLearnedSteps(),
          Setting.uniform(3, 4),
          Setting.uniform(3, 4).withLearnedSteps());

  private static final ImmutableList<Long> SEEDS = ImmutableList.of(42L, 43L, 44L, 45L, 46L);
  private static final int BATCH = 32;
  private static final int CALIBRATED = 500;
  private static final double LEARNING_RATE = 1e-3;

  /** Of steps: within some hundred iterations they can come to another power of two. */
  private static final double STEP_LEARNING_RATE = 3e-3;

  /** What is left of the learning rate at the end. */
  private static final double LAST = Math.pow(0.6, FEW_EPOCHS);

  private final Path directory;

  FineTuningStudy(Path directory) {
    this.directory = directory;
  }

  /**
   * Runs the study, or what is left of it.
   *
   * @param arguments the directory, then what to take: data sets and networks, joined by a colon,
   *     such as {@code "digits:plain CNN"}, and settings, such as {@code "W3A4 LSQ"}; all if there
   *     are none of a kind
   */
  public static void main(String[] arguments) throws IOException {
    Path directory = Path.of(arguments.length > 0 ? arguments[0] : "fine-tuning");
    List<String> names =
        List.of(arguments).subList(Math.min(1, arguments.length), arguments.length);
    List<Subject> subjects =
        IntegerAccuracyStudy.SUBJECTS.stream()
            .filter(s -> isChosen(names, s.data() + ":" + s.network(), true))
            .toList();
    List<Setting> settings =
        SETTINGS.stream().filter(own -> isChosen(names, own.name(), false)).toList();
    String table =
        FineTuningTrial.table(new FineTuningStudy(directory).run(subjects, SEEDS, settings));
    System.out.print(table);
    Files.writeString(directory.resolve("fine-tuning.md"), table);
  }

  private static boolean isChosen(List<String> names, String name, boolean subject) {
    return names.contains(name) || names.stream().noneMatch(own -> own.contains(":") == subject);
  }

  /** Returns the trials of all subjects, seeds and settings, in this order. */
  ImmutableList<FineTuningTrial> run(
      List<Subject> subjects, List<Long> seeds, List<Setting> settings) throws IOException {
    Files.createDirectories(directory);
    Path file = directory.resolve("fine-tuning.jsonl");
    List<FineTuningTrial> known = new ArrayList<>(TrialFile.read(file, FineTuningTrial.class));
    ImmutableList.Builder<FineTuningTrial> trials = ImmutableList.builder();
    try (Progress progress =
        Progress.start("study", (long) subjects.size() * seeds.size() * settings.size())) {
      for (Subject subject : subjects) {
        for (long seed : seeds) {
          for (Setting setting : settings) {
            var before =
                known.stream().filter(t -> t.isOf(subject, seed, setting.name())).findFirst();
            if (before.isPresent()) {
              trials.add(before.get());
            } else {
              FineTuningTrial trial = trial(subject, seed, setting);
              TrialFile.append(file, trial);
              trials.add(trial);
            }
            progress.step(subject.network());
          }
        }
      }
    }
    return trials.build();
  }

  private FineTuningTrial trial(Subject subject, long seed, Setting setting) throws IOException {
    Split data = subject.split().apply(seed);
    Model network = new IntegerAccuracyStudy(directory).trained(subject, seed, data.train());
    INDArray test = data.test().getFeatures();
    double floats =
        IntegerAccuracyStudy.accuracy(IntegerAccuracyStudy.logits(network, test), data.test());
    Quantization start =
        Quantization.of(network)
            .weightBits(setting.averageBits() > 0 ? 8 : setting.weightBits())
            .activationBits(setting.activationBits())
            .calibrate(Split.batches(Split.first(data.train(), CALIBRATED), BATCH));
    PrecisionPlan plan =
        setting.averageBits() > 0
            ? mixed(start, setting.weightBits(), setting.averageBits(), data.validation())
            : start.plan();
    MixedPrecisionFineTuning tuning =
        MixedPrecisionFineTuning.of(network, levels(start, setting).convert(plan))
            .with(
                new FineTuneConfiguration.Builder()
                    .updater(
                        new Adam(
                            new ExponentialSchedule(
                                ScheduleType.EPOCH,
                                LEARNING_RATE,
                                Math.pow(LAST, 1.0 / setting.epochs()))))
                    .build());
    if (setting.levels()) {
      tuning = tuning.withCodebooks(WeightedEntropyCodebooks.DEFAULT);
    }
    if (setting.learned()) {
      tuning = tuning.withLearnedSteps(STEP_LEARNING_RATE);
    }
    FineTuningRun run = tuning.start();
    double rounded = accuracy(run.model(), data.test());
    for (int epoch = 0; epoch < setting.epochs(); epoch++) {
      if (epoch > 0 && epoch == setting.epochs() - 1) {
        run.snapSteps();
      }
      run.fit(Split.shuffledBatches(data.train(), BATCH, seed + 1000 + epoch), 1);
    }
    return new FineTuningTrial(
        subject.data(),
        subject.network(),
        seed,
        setting.name(),
        floats,
        rounded,
        accuracy(run.model(), data.test()),
        averageBits(start, plan));
  }

  private static Quantization levels(Quantization start, Setting setting) {
    return setting.levels() ? start.codebooks(WeightedEntropyCodebooks.DEFAULT) : start;
  }

  private static double accuracy(QuantizedModel model, DataSet data) {
    return IntegerAccuracyStudy.accuracy(
        IntegerAccuracyStudy.integerLogits(model, data.getFeatures()), data);
  }

  /** Returns the plan whose low layers cost least, measured one at a time. */
  static PrecisionPlan mixed(
      Quantization quantization, int lowBits, double averageBits, DataSet validation) {
    List<String> heads = quantization.heads().stream().map(OutputHead::layer).toList();
    List<LayerDescription> layers =
        quantization.layers().stream().filter(own -> !heads.contains(own.name())).toList();
    ToDoubleFunction<PrecisionPlan> loss =
        quantization.evaluating(network -> loss(Dl4jNetwork.of(network), validation));
    return SensitivitySearch.measure(layers, quantization.plan(), lowBits, loss)
        .plan(averageBits, counts(quantization));
  }

  /** Returns the mean number of bits of a weight. */
  static double averageBits(Quantization quantization, PrecisionPlan plan) {
    return plan.averageWeightBits(counts(quantization));
  }

  private static ImmutableMap<String, Long> counts(Quantization quantization) {
    return quantization.layers().stream()
        .collect(
            ImmutableMap.toImmutableMap(LayerDescription::name, LayerDescription::weightCount));
  }

  /** Returns the mean cross entropy in nats; no probability counts as less than 1e-7. */
  static double loss(Dl4jNetwork network, DataSet data) {
    return loss(network.output(data.getFeatures()).get(0), data);
  }

  /** Returns the mean cross entropy of what a network gives, in nats. */
  static double loss(INDArray output, DataSet data) {
    double sum = 0;
    for (int e = 0; e < data.numExamples(); e++) {
      for (int c = 0; c < output.size(1); c++) {
        if (data.getLabels().getDouble(e, c) > 0) {
          sum -= Math.log(Math.max(1e-7, output.getDouble(e, c)));
        }
      }
    }
    return sum / data.numExamples();
  }
}
