package org.dl4jquant.cli;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.zip.ZipEntry;
import java.util.zip.ZipException;
import java.util.zip.ZipFile;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.util.ModelSerializer;
import org.nd4j.linalg.dataset.api.preprocessor.Normalizer;

/** Opens the network files that the commands take. */
final class ModelFile {
  private ModelFile() {}

  /** A network as DL4J saved it. */
  record FloatModel(Model network, Optional<Normalizer<?>> normalizer) {}

  /** Returns whether the file holds an entry of that name, as a sign of its kind. */
  static boolean hasEntry(Path file, String entry) {
    requireFile(file);
    try (ZipFile zip = new ZipFile(file.toFile())) {
      return zip.getEntry(entry) != null;
    } catch (ZipException e) {
      throw new CommandFailedException(file + ": is not a zip file, so not a saved network", e);
    } catch (IOException e) {
      throw new CommandFailedException(file + ": cannot be read: " + e.getMessage(), e);
    }
  }

  /**
   * Restores a MultiLayerNetwork or a ComputationGraph with its normalizer, without its updater.
   *
   * @throws CommandFailedException if the file is missing or holds no network
   */
  static FloatModel restore(Path file) {
    boolean graph = isGraph(file);
    try {
      Model network =
          graph
              ? ModelSerializer.restoreComputationGraph(file.toFile(), false)
              : ModelSerializer.restoreMultiLayerNetwork(file.toFile(), false);
      Optional<Normalizer<?>> normalizer =
          hasEntry(file, ModelSerializer.NORMALIZER_BIN)
              ? Optional.of(ModelSerializer.restoreNormalizerFromFile(file.toFile()))
              : Optional.empty();
      return new FloatModel(network, normalizer);
    } catch (IOException | RuntimeException e) {
      throw new CommandFailedException(
          file + ": DL4J cannot restore this network: " + e.getMessage(), e);
    }
  }

  /** Returns the class of network that the configuration in the file describes. */
  private static boolean isGraph(Path file) {
    requireFile(file);
    try (ZipFile zip = new ZipFile(file.toFile())) {
      ZipEntry entry = zip.getEntry(ModelSerializer.CONFIGURATION_JSON);
      if (entry == null || zip.getEntry(ModelSerializer.COEFFICIENTS_BIN) == null) {
        throw new CommandFailedException(
            file + ": is not a network saved by Deeplearning4j (no configuration or parameters)");
      }
      try (InputStream in = zip.getInputStream(entry)) {
        JsonNode configuration = new ObjectMapper().readTree(in);
        return configuration.has("vertices");
      }
    } catch (ZipException e) {
      throw new CommandFailedException(file + ": is not a zip file, so not a saved network", e);
    } catch (JacksonException e) {
      throw new CommandFailedException(file + ": has a configuration that is not JSON", e);
    } catch (IOException e) {
      throw new CommandFailedException(file + ": cannot be read: " + e.getMessage(), e);
    }
  }

  private static void requireFile(Path file) {
    if (!Files.isRegularFile(file)) {
      throw new CommandFailedException(file + ": does not exist or is not a file");
    }
  }

  /** Returns the name that messages use for the class of a network. */
  static String kind(Model network) {
    if (network instanceof ComputationGraph) {
      return "ComputationGraph";
    }
    return network instanceof MultiLayerNetwork
        ? "MultiLayerNetwork"
        : network.getClass().getSimpleName();
  }
}
