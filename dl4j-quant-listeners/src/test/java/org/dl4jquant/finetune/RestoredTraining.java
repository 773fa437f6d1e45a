package org.dl4jquant.finetune;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.util.ModelSerializer;
import org.dl4jquant.precision.LayerPrecision;
import org.dl4jquant.precision.PrecisionPlan;
import org.nd4j.linalg.api.buffer.DataType;

/** Goes on with a saved training and says what it has come to; run in a JVM of its own. */
final class RestoredTraining {
  private RestoredTraining() {}

  /**
   * Restores {@code arguments[0]}, a ComputationGraph if {@code arguments[1]} is true; goes on with
   * the state in {@code arguments[2]}, of a run that was started from {@code arguments[3]}, if
   * there are so many.
   */
  public static void main(String[] arguments) throws Exception {
    boolean graph = Boolean.parseBoolean(arguments[1]);
    Model network = restored(Path.of(arguments[0]), graph);
    if (arguments.length < 4) {
      System.out.println(after(network));
      return;
    }
    FineTuningRun run = learning(restored(Path.of(arguments[3]), graph)).start();
    run.restoreState(Path.of(arguments[2]), network);
    System.out.println(after(run));
  }

  static Model restored(Path file, boolean graph) throws IOException {
    return graph
        ? ModelSerializer.restoreComputationGraph(file.toFile(), true)
        : ModelSerializer.restoreMultiLayerNetwork(file.toFile(), true);
  }

  /** Returns a fine-tuning that learns steps. */
  static MixedPrecisionFineTuning learning(Model network) {
    return MixedPrecisionFineTuning.of(
            network,
            PrecisionPlan.uniform(LayerPrecision.of(3, 5)),
            FineTuningNetworks.batches(FineTuningNetworks.images(96, 4), DataType.FLOAT))
        .withLearnedSteps(2e-2);
  }

  /**
   * Trains for one epoch more, and for one with powers of two; returns a hash of every bit of the
   * parameters, the steps, and the formats that came of them.
   */
  static String after(FineTuningRun run) {
    String learned = after(run.network());
    int steps = run.learnedSteps().hashCode();
    String snapped = after(run.snapSteps().network());
    String formats = run.model().activations().toString();
    return learned + ", steps " + steps + ", snapped " + snapped + ", " + formats.hashCode();
  }

  /** Trains for one epoch more; returns a hash of every bit of the parameters, and their number. */
  static String after(Model network) {
    var data = FineTuningNetworks.batches(FineTuningNetworks.images(96, 5), DataType.FLOAT);
    FineTuningNetworks.fit(network, data, 1);
    float[] parameters = network.params().dup('c').data().asFloat();
    return Arrays.hashCode(parameters) + " of " + parameters.length + ", score " + network.score();
  }
}
