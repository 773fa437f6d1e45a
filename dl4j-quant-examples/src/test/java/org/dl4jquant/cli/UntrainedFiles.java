package org.dl4jquant.cli;

import java.io.IOException;
import java.nio.file.Path;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.util.ModelSerializer;
import org.dl4jquant.examples.CommandFixtures;
import org.nd4j.linalg.dataset.DataSet;

/**
 * A network that was not trained and digits with the labels that it gives them, in files.
 *
 * @param model {@code network.zip}, as DL4J writes it
 * @param data {@code data.npz}
 */
record UntrainedFiles(Path model, Path data) {
  static UntrainedFiles write(Path folder) throws IOException {
    MultiLayerNetwork network = CommandFixtures.untrained();
    Path model = folder.resolve("network.zip");
    ModelSerializer.writeModel(network, model.toFile(), false);
    DataSet test = CommandFixtures.testExamples();
    Path data =
        new Npz()
            .floats("x", test.getFeatures())
            .int64("y", network.output(test.getFeatures()).argMax(1).toIntVector())
            .write(folder.resolve("data.npz"));
    return new UntrainedFiles(model, data);
  }
}
