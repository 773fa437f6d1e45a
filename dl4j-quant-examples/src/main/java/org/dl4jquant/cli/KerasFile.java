package org.dl4jquant.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.modelimport.keras.Hdf5Archive;
import org.deeplearning4j.nn.modelimport.keras.KerasModelImport;
import org.deeplearning4j.nn.modelimport.keras.exceptions.InvalidKerasConfigurationException;
import org.deeplearning4j.nn.modelimport.keras.exceptions.UnsupportedKerasConfigurationException;

/** Imports models that Keras 1 or 2 saved whole, as HDF5 with configuration and weights. */
final class KerasFile {
  private static final String CONFIGURATION = "model_config";
  private static final String SEQUENTIAL = "Sequential";

  private KerasFile() {}

  /**
   * Returns a MultiLayerNetwork for a sequential model and a ComputationGraph for a functional one.
   * The training configuration is not imported, so the last layer of the model is the network's.
   *
   * @throws CommandFailedException if the file holds weights only, or layers that DL4J lacks
   */
  static Model restore(Path file) {
    try {
      org.bytedeco.hdf5.Exception.dontPrint(); // what fails is told here
      return isSequential(file)
          ? KerasModelImport.importKerasSequentialModelAndWeights(file.toString(), false)
          : KerasModelImport.importKerasModelAndWeights(file.toString(), false);
    } catch (IOException
        | InvalidKerasConfigurationException
        | UnsupportedKerasConfigurationException
        | RuntimeException e) {
      if (e instanceof CommandFailedException known) {
        throw known;
      }
      throw new CommandFailedException(
          file + ": Deeplearning4j cannot import this Keras model: " + Messages.of(e), e);
    } catch (LinkageError e) {
      throw new CommandFailedException(
          file + ": Keras files cannot be read on this platform: " + Messages.of(e), e);
    }
  }

  private static boolean isSequential(Path file)
      throws IOException, UnsupportedKerasConfigurationException {
    String json;
    try (Hdf5Archive archive = new Hdf5Archive(file.toString())) {
      if (!archive.hasAttribute(CONFIGURATION)) {
        throw new CommandFailedException(
            file + ": has no model configuration; save the whole Keras model, not its weights");
      }
      json = archive.readAttributeAsJson(CONFIGURATION);
    }
    JsonNode configuration = new ObjectMapper().readTree(json);
    return SEQUENTIAL.equals(configuration.path("class_name").asText());
  }
}
