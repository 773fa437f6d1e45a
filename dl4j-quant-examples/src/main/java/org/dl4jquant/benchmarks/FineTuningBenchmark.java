package org.dl4jquant.benchmarks;

import java.util.Random;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.Quantization;
import org.dl4jquant.convert.LogarithmicActivations;
import org.dl4jquant.convert.WeightedEntropyCodebooks;
import org.dl4jquant.dl4j.Dl4jNetwork;
import org.dl4jquant.dl4j.FoldedNetwork;
import org.dl4jquant.examples.Networks;
import org.dl4jquant.finetune.MixedPrecisionFineTuning;
import org.dl4jquant.internal.Checks;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;

/**
 * One iteration of fine-tuning against one of {@code fit} on the network as it is and on its folded
 * form, in turn within one process: {@code leNet} or {@code residual} at batch 64, weights of 4
 * bits, activations of 8, or logarithmic ones of 4.
 */
public final class FineTuningBenchmark {
  private static final int WARMUP_ROUNDS = 15;
  private static final int SIZE = 28;
  private static final int CLASSES = 10;
  private static final int BATCH = 64;
  private static final double STEP_RATE = 1e-3;

  private FineTuningBenchmark() {}

  /** Compares all in turn: {@code [network [rounds]]}. */
  public static void main(String[] arguments) {
    String name = arguments.length > 0 ? arguments[0] : "leNet";
    int rounds = arguments.length > 1 ? Integer.parseInt(arguments[1]) : 60;
    Checks.that(
        name.equals("leNet") || name.equals("residual"), "network", "be leNet or residual", name);
    DataSet batch = examples();
    Model plain = network(name);
    Model folded = FoldedNetwork.of(Dl4jNetwork.of(network(name))).network().model();
    Quantization quantization =
        Quantization.of(network(name)).weightBits(4).calibrate(batch.getFeatures());
    MixedPrecisionFineTuning tuning =
        MixedPrecisionFineTuning.of(network(name), quantization.convert());
    Model tuned = tuning.start().network();
    Model levels = tuning.withCodebooks(WeightedEntropyCodebooks.DEFAULT).start().network();
    Model steps = tuning.withLearnedSteps(STEP_RATE).start().network();
    Model logarithmic =
        MixedPrecisionFineTuning.of(
                network(name),
                Quantization.of(network(name))
                    .weightBits(4)
                    .activationBits(4)
                    .logarithmicActivations(LogarithmicActivations.DEFAULT)
                    .calibrate(batch.getFeatures())
                    .convert())
            .start()
            .network();
    System.out.println(name + ", " + rounds + " rounds");
    System.out.print(
        new Interleaved()
            .with("fit", () -> fit(plain, batch))
            .with("fit, folded", () -> fit(folded, batch))
            .with("fine-tuning", () -> fit(tuned, batch))
            .with("with levels", () -> fit(levels, batch))
            .with("learned steps", () -> fit(steps, batch))
            .with("logarithmic", () -> fit(logarithmic, batch))
            .compare(WARMUP_ROUNDS, rounds));
  }

  private static Model network(String name) {
    return name.equals("leNet")
        ? Networks.leNet(SIZE, CLASSES, 1)
        : Networks.residual(SIZE, CLASSES, 1);
  }

  private static void fit(Model network, DataSet batch) {
    if (network instanceof ComputationGraph graph) {
      graph.fit(batch);
    } else {
      ((MultiLayerNetwork) network).fit(batch);
    }
  }

  private static DataSet examples() {
    INDArray features = Nd4j.rand(BATCH, 1, SIZE, SIZE);
    INDArray labels = Nd4j.zeros(BATCH, CLASSES);
    Random random = new Random(1);
    for (int i = 0; i < BATCH; i++) {
      labels.putScalar(i, random.nextInt(CLASSES), 1);
    }
    return new DataSet(features, labels);
  }
}
