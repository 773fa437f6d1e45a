package org.dl4jquant.examples;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.google.common.collect.ImmutableList;
import com.google.common.math.Stats;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.listeners.RoundedErrorLoss;
import org.dl4jquant.precision.OutputClassPolicy;
import org.dl4jquant.precision.OutputHead;
import org.dl4jquant.terminal.Progress;
import org.nd4j.linalg.activations.impl.ActivationSoftmax;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.lossfunctions.ILossFunction;
import org.nd4j.linalg.lossfunctions.impl.LossMCXENT;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/**
 * Shows why a head of many classes needs more bits (method E): trains softmax heads of 10, 100 and
 * 1000 classes whose error signal has a width below, at and above the bound.
 *
 * <p>The errors of an example sum to 0: what the right class gains the others lose. In too few bits
 * the small errors of the others round to 0, and the sum, the <i>imbalance</i>, goes toward 1. It
 * is measured in the first steps, while the head is undecided. Prints a table and ends with one
 * line of JSON: for each number of classes the bound, the accuracy in floats, and imbalance and
 * accuracy by width; means over the seeds.
 */
@Command(name = "ClassCountPrecision", mixinStandardHelpOptions = true)
public final class ClassCountPrecision implements Callable<Integer> {
  private static final ImmutableList<Integer> CLASSES = ImmutableList.of(10, 100, 1000);
  private static final int BATCH = 100;
  private static final int TEST = 1000;
  private static final int FLOAT = 0;

  /** The widths to try, as differences to the bound. */
  private static final ImmutableList<Integer> AROUND_THE_BOUND = ImmutableList.of(-2, -1, 0, 1);

  /** In how many steps from the start the imbalance is measured. */
  private static final int FIRST_STEPS = 10;

  @Spec private CommandSpec command = CommandSpec.create();

  @Option(names = "--steps", description = "of training; default ${DEFAULT-VALUE}")
  private int steps = 300;

  @Option(names = "--learning-rate", description = "of SGD, per class; default ${DEFAULT-VALUE}")
  private double learningRate = 0.005;

  @Option(names = "--seeds", description = "how many runs; default ${DEFAULT-VALUE}")
  private int seeds = 1;

  private ClassCountPrecision() {}

  /** Runs it; {@code --help} lists the options. */
  public static void main(String[] arguments) {
    int status = run(arguments);
    if (status != 0) {
      System.exit(status);
    }
  }

  static int run(String... arguments) {
    return new CommandLine(new ClassCountPrecision()).execute(arguments);
  }

  @Override
  public Integer call() throws Exception {
    require(steps >= FIRST_STEPS, "--steps must be at least 10, found " + steps);
    require(seeds >= 1, "--seeds must be positive, found " + seeds);
    require(learningRate > 0, "--learning-rate must be positive, found " + learningRate);
    ObjectMapper mapper = new ObjectMapper();
    ObjectNode json = mapper.createObjectNode();
    StringBuilder table =
        new StringBuilder(
                "| classes | bits | imbalance | cross entropy | accuracy in % | std. dev. |\n")
            .append("|---|---|---|---|---|---|\n");
    int runs = CLASSES.size() * seeds * (1 + AROUND_THE_BOUND.size());
    try (Progress progress = Progress.start("training", runs)) {
      for (int classes : CLASSES) {
        int bound = OutputClassPolicy.LOG2_BOUND.bound(new OutputHead("head", classes, true));
        ObjectNode node = json.putObject(String.valueOf(classes)).put("bound", bound);
        List<Integer> widths = new ArrayList<>(List.of(FLOAT));
        AROUND_THE_BOUND.forEach(difference -> widths.add(bound + difference));
        ObjectNode imbalances = mapper.createObjectNode();
        ObjectNode accuracies = mapper.createObjectNode();
        for (int bits : widths) {
          List<Run> trained = new ArrayList<>();
          for (int seed = 1; seed <= seeds; seed++) {
            trained.add(train(classes, seed, bits));
            progress.step();
          }
          Stats imbalance = Stats.of(trained.stream().mapToDouble(Run::imbalance));
          Stats crossEntropy = Stats.of(trained.stream().mapToDouble(Run::crossEntropy));
          Stats accuracy = Stats.of(trained.stream().mapToDouble(Run::accuracy));
          table.append(row(classes, bits, bound, imbalance, crossEntropy, accuracy));
          if (bits == FLOAT) {
            node.put("float", accuracy.mean());
          } else {
            imbalances.put(String.valueOf(bits), imbalance.mean());
            accuracies.put(String.valueOf(bits), accuracy.mean());
          }
        }
        node.set("imbalance", imbalances);
        node.set("accuracy", accuracies);
      }
    }
    say("%d steps, %d seed(s), test accuracy%n%n%s", steps, seeds, table);
    say("%s", mapper.writeValueAsString(json));
    return 0;
  }

  private String row(
      int classes, int bits, int bound, Stats imbalance, Stats crossEntropy, Stats accuracy) {
    String width = bits == FLOAT ? "float" : bits + (bits == bound ? " (bound)" : "");
    return String.format(
        Locale.ROOT,
        "| %d | %s | %.2f | %.2f | %.2f | %s |%n",
        classes,
        width,
        imbalance.mean(),
        crossEntropy.mean(),
        100 * accuracy.mean(),
        seeds == 1
            ? "–"
            : String.format(Locale.ROOT, "%.2f", 100 * accuracy.sampleStandardDeviation()));
  }

  private void require(boolean holds, String message) {
    if (!holds) {
      throw new ParameterException(command.commandLine(), message);
    }
  }

  /**
   * What one training showed.
   *
   * @param imbalance the magnitude of the sum of an example's errors, averaged over the first steps
   * @param crossEntropy on test examples, at the end
   * @param accuracy on test examples, at the end
   */
  private record Run(double imbalance, double crossEntropy, double accuracy) {}

  private Run train(int classes, int seed, int bits) {
    ManyClasses task = new ManyClasses(classes, seed);
    ILossFunction exact = new LossMCXENT();
    ILossFunction loss = bits == FLOAT ? exact : new RoundedErrorLoss(exact, bits);
    MultiLayerNetwork head = task.head(loss, learningRate * classes);
    double imbalance = 0;
    for (int step = 0; step < steps; step++) {
      DataSet batch = task.examples(BATCH, step);
      if (step < FIRST_STEPS) {
        imbalance += imbalance(head, loss, batch) / FIRST_STEPS;
      }
      head.fit(batch);
    }
    DataSet test = task.examples(TEST, -1);
    double accuracy = head.evaluate(Split.batches(test, TEST)).accuracy();
    return new Run(imbalance, head.score(test), accuracy);
  }

  private static double imbalance(MultiLayerNetwork head, ILossFunction loss, DataSet batch) {
    INDArray logits =
        batch.getFeatures().mmul(head.getParam("0_W")).addiRowVector(head.getParam("0_b"));
    return loss.computeGradient(batch.getLabels(), logits, new ActivationSoftmax(), null)
        .sum(1)
        .ameanNumber()
        .doubleValue();
  }

  private static void say(String format, Object... arguments) {
    System.out.println(String.format(Locale.ROOT, format, arguments));
  }
}
