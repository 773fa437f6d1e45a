package org.dl4jquant.finetune;

import java.io.File;
import java.util.Arrays;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.util.ModelSerializer;
import org.nd4j.linalg.api.buffer.DataType;

/** Goes on with a saved training and says what it has come to; run in a JVM of its own. */
final class RestoredTraining {
  private RestoredTraining() {}

  /** Restores {@code arguments[0]}, a ComputationGraph if {@code arguments[1]} is true. */
  public static void main(String[] arguments) throws Exception {
    File file = new File(arguments[0]);
    boolean graph = Boolean.parseBoolean(arguments[1]);
    System.out.println(
        after(
            graph
                ? ModelSerializer.restoreComputationGraph(file, true)
                : ModelSerializer.restoreMultiLayerNetwork(file, true)));
  }

  /** Trains for one epoch more; returns a hash of every bit of the parameters, and their number. */
  static String after(Model network) {
    var data = FineTuningNetworks.batches(FineTuningNetworks.images(96, 5), DataType.FLOAT);
    FineTuningNetworks.fit(network, data, 1);
    float[] parameters = network.params().dup('c').data().asFloat();
    return Arrays.hashCode(parameters) + " of " + parameters.length + ", score " + network.score();
  }
}
