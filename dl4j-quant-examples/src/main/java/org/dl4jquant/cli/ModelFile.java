package org.dl4jquant.cli;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import java.util.zip.ZipEntry;
import java.util.zip.ZipException;
import java.util.zip.ZipFile;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.util.ModelSerializer;
import org.dl4jquant.convert.QuantizedModel;
import org.dl4jquant.export.PackedArchive;
import org.nd4j.linalg.dataset.api.preprocessor.Normalizer;
import org.nd4j.linalg.dataset.api.preprocessor.serializer.NormalizerSerializer;

/**
 * A network that was read from a file: saved by DL4J (with or without this library), packed by this
 * library, or saved by Keras as HDF5. The content decides, not the name of the file.
 *
 * @param source what messages call the file
 * @param network initialized; of a packed archive the network that its codes stand for, without the
 *     quantization of values
 * @param normalizer what the file holds to be applied to the data
 * @param quantized what a packed archive holds
 */
record ModelFile(
    String source,
    Model network,
    Optional<Normalizer<?>> normalizer,
    Optional<QuantizedModel> quantized) {
  /** What the help says of a parameter that takes such a file. */
  static final String DESCRIPTION =
      "A network: a zip file saved by Deeplearning4j or this tool, or a Keras .h5 file.";

  private static final String REMEDY =
      "integers need an archive that quantize --calibration FILE has written";
  private static final byte[] ZIP = {'P', 'K', 3, 4};
  private static final byte[] HDF5 = {(byte) 0x89, 'H', 'D', 'F'};
  private static final String PACKED_ENTRY = "manifest.json";
  private static final String KERAS_3_ENTRY = "model.weights.h5";

  /**
   * Opens a file.
   *
   * @throws CommandFailedException if it is missing, no network, or none that DL4J can restore
   * @throws org.dl4jquant.export.InvalidArchiveException if it is a packed archive with a fault
   */
  static ModelFile open(Path file) {
    byte[] start = start(file);
    if (Arrays.equals(start, HDF5)) {
      return new ModelFile(
          file.toString(), KerasFile.restore(file), Optional.empty(), Optional.empty());
    }
    if (!Arrays.equals(start, ZIP)) {
      throw new CommandFailedException(
          file + ": is neither a zip file nor a Keras .h5 file, so not a saved network");
    }
    return zip(file);
  }

  private static byte[] start(Path file) {
    if (!Files.exists(file)) {
      throw new CommandFailedException(file + ": does not exist");
    }
    if (!Files.isRegularFile(file)) {
      throw new CommandFailedException(file + ": is not a file");
    }
    try (InputStream in = Files.newInputStream(file)) {
      return in.readNBytes(ZIP.length);
    } catch (IOException e) {
      throw new CommandFailedException(file + ": cannot be read: " + e.getMessage(), e);
    }
  }

  private static ModelFile zip(Path file) {
    try (ZipFile zip = new ZipFile(file.toFile())) {
      if (zip.getEntry(PACKED_ENTRY) != null) {
        return packed(file);
      }
      if (zip.getEntry(KERAS_3_ENTRY) != null) {
        throw new CommandFailedException(
            file + ": is a .keras file of Keras 3; save it with Keras 2 as .h5");
      }
      for (String entry :
          new String[] {ModelSerializer.CONFIGURATION_JSON, ModelSerializer.COEFFICIENTS_BIN}) {
        if (zip.getEntry(entry) == null) {
          throw new CommandFailedException(
              file + ": is not a network saved by Deeplearning4j: lacks the entry " + entry);
        }
      }
      boolean graph = isGraph(file, zip);
      Optional<Normalizer<?>> normalizer = normalizer(file, zip);
      return new ModelFile(file.toString(), restore(file, graph), normalizer, Optional.empty());
    } catch (ZipException e) {
      throw new CommandFailedException(
          file + ": is a damaged zip file, so not a saved network: " + e.getMessage(), e);
    } catch (IOException e) {
      throw new CommandFailedException(file + ": cannot be read: " + e.getMessage(), e);
    }
  }

  private static ModelFile packed(Path file) {
    QuantizedModel model = PackedArchive.read(file);
    return new ModelFile(
        file.toString(),
        model.plainNetwork().model(),
        model.attachments().normalizer(),
        Optional.of(model));
  }

  /** Returns the class of network that the configuration in the file describes. */
  private static boolean isGraph(Path file, ZipFile zip) throws IOException {
    ZipEntry entry = zip.getEntry(ModelSerializer.CONFIGURATION_JSON);
    try (InputStream in = zip.getInputStream(entry)) {
      return new ObjectMapper().readTree(in).has("vertices");
    } catch (JacksonException e) {
      throw new CommandFailedException(
          file + ": has a configuration that is not JSON: " + e.getOriginalMessage(), e);
    }
  }

  private static Model restore(Path file, boolean graph) {
    try {
      return graph
          ? ModelSerializer.restoreComputationGraph(file.toFile(), false)
          : ModelSerializer.restoreMultiLayerNetwork(file.toFile(), false);
    } catch (IOException | RuntimeException e) {
      throw new CommandFailedException(
          file + ": Deeplearning4j cannot restore this network: " + Messages.of(e), e);
    }
  }

  private static Optional<Normalizer<?>> normalizer(Path file, ZipFile zip) {
    ZipEntry entry = zip.getEntry(ModelSerializer.NORMALIZER_BIN);
    if (entry == null) {
      return Optional.empty();
    }
    try (InputStream in = zip.getInputStream(entry)) {
      Normalizer<?> normalizer = NormalizerSerializer.getDefault().restore(in);
      return Optional.of(normalizer);
    } catch (Exception e) { // NormalizerSerializer declares no less
      throw new CommandFailedException(
          file + ": Deeplearning4j cannot restore the normalizer: " + Messages.of(e), e);
    }
  }

  /** Returns the network that DL4J runs: of a packed archive one that also quantizes values. */
  Model runnable() {
    return quantized.map(QuantizedModel::toNetwork).orElse(network);
  }

  /**
   * Returns what computes in integers.
   *
   * @throws CommandFailedException if the file holds none; the message says how to make one
   */
  QuantizedModel integers() {
    if (quantized.isEmpty()) {
      throw new CommandFailedException(source + ": is a float network; " + REMEDY);
    }
    if (quantized.get().activations().isEmpty()) {
      throw new CommandFailedException(source + ": holds quantized weights alone; " + REMEDY);
    }
    return quantized.get();
  }

  /** Returns the name that messages use for the class of the network. */
  String kind() {
    return network instanceof ComputationGraph ? "ComputationGraph" : "MultiLayerNetwork";
  }
}
