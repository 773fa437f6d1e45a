package org.dl4jquant.onnxruntime;

import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableMap;
import com.google.common.collect.ImmutableSet;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.dl4jquant.execute.IntegerNetwork;
import org.dl4jquant.graph.Node;
import org.dl4jquant.graph.QuantizedGraph;
import org.dl4jquant.graph.QuantizedGraph.Carrier;
import org.dl4jquant.internal.Checks;
import org.dl4jquant.onnx.ExposedCodes;
import org.dl4jquant.onnx.OnnxExport;
import org.dl4jquant.onnx.OnnxModel;
import org.dl4jquant.tensor.QuantizedTensor;
import org.dl4jquant.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * Compares a quantized ONNX file with the integer network that it was made of: every code of every
 * value, and the outputs. Not thread-safe.
 */
public final class OnnxVerifier implements AutoCloseable {
  private final IntegerNetwork reference;
  private final ExposedCodes exposed;
  private final OnnxNetwork network;
  private final ImmutableMap<String, String> unpromised;
  private final Map<String, Count> counts = new LinkedHashMap<>();
  private double outputDifference;

  private static final class Count {
    private long elements;
    private long mismatches;
    private int maxDifference;

    void add(int[] expected, int[] found) {
      for (int i = 0; i < expected.length; i++) {
        int difference = Math.abs(expected[i] - found[i]);
        mismatches += difference == 0 ? 0 : 1;
        maxDifference = Math.max(maxDifference, difference);
      }
      elements += expected.length;
    }
  }

  private OnnxVerifier(IntegerNetwork reference, ExposedCodes exposed, OnnxNetwork network) {
    this.reference = reference;
    this.exposed = exposed;
    this.network = network;
    this.unpromised = OnnxExport.unpromised(reference.graph());
    exposed.stored().keySet().forEach(name -> counts.put(name, new Count()));
  }

  /**
   * Returns a verifier of a file.
   *
   * @throws InvalidOnnxException if it is no quantized model of this library, has other values in
   *     codes than the reference, or has its constants in a second file
   * @throws UncheckedIOException if it cannot be read
   */
  public static OnnxVerifier open(Path file, IntegerNetwork reference, OnnxRuntimeOptions options) {
    try {
      return of(file.toString(), Files.readAllBytes(file), reference, options);
    } catch (IOException e) {
      throw new UncheckedIOException(file + ": cannot be read: " + e, e);
    }
  }

  /** Returns a verifier of a model that need not be written to a file. */
  public static OnnxVerifier of(
      OnnxModel model, IntegerNetwork reference, OnnxRuntimeOptions options) {
    return of("model", model.toByteArray(), reference, options);
  }

  static OnnxVerifier of(
      String where, byte[] model, IntegerNetwork reference, OnnxRuntimeOptions options) {
    ExposedCodes exposed;
    try {
      exposed = ExposedCodes.of(model);
    } catch (IllegalArgumentException e) {
      throw new InvalidOnnxException(where, String.valueOf(e.getMessage()), e);
    }
    requireSame(where, reference.graph(), exposed);
    OnnxNetwork network = OnnxNetwork.of(exposed.model(), options);
    return new OnnxVerifier(reference, exposed, network);
  }

  private static void requireSame(String where, QuantizedGraph reference, ExposedCodes exposed) {
    ImmutableSet<String> coded =
        reference.graph().nodes().stream()
            .map(Node::name)
            .filter(node -> reference.carrier(node) == Carrier.CODES)
            .collect(ImmutableSet.toImmutableSet());
    ImmutableSet<String> found = ImmutableSet.copyOf(exposed.stored().keySet());
    if (!found.equals(coded)) {
      throw new InvalidOnnxException(
          where, "is of another network: has codes of " + found + " instead of " + coded);
    }
  }

  /**
   * Compares one batch.
   *
   * @throws IllegalArgumentException if inputs are not what the network takes
   */
  public void accept(Map<String, Tensor> inputs) {
    ImmutableMap<String, QuantizedTensor> expected = reference.layerCodes(inputs);
    ImmutableSet.Builder<String> wanted = ImmutableSet.builder();
    exposed.stored().values().forEach(stored -> wanted.add(stored.tensor()));
    ImmutableMap<String, Integer> offsets =
        exposed.stored().values().stream()
            .collect(
                ImmutableMap.toImmutableMap(
                    ExposedCodes.Stored::tensor, ExposedCodes.Stored::offset));
    Map<String, int[]> found =
        network.run(
            inputs,
            wanted.build(),
            (name, tensor) -> Session.codes(tensor, offsets.getOrDefault(name, 0)));
    exposed
        .stored()
        .forEach((node, stored) -> compare(node, expected.get(node), found.get(stored.tensor())));
    compareOutputs(inputs);
  }

  private void compare(String node, @Nullable QuantizedTensor expected, int @Nullable [] found) {
    if (expected == null || found == null) {
      throw new IllegalStateException("no codes of '" + node + "'");
    }
    int[] codes = expected.codes();
    Checks.that(
        codes.length == found.length,
        "codes of '" + node + "'",
        "number " + codes.length,
        found.length);
    counts.getOrDefault(node, new Count()).add(codes, found);
  }

  private void compareOutputs(Map<String, Tensor> inputs) {
    ImmutableMap<String, Tensor> expected = reference.outputs(inputs);
    network
        .run(
            inputs,
            ImmutableSet.copyOf(expected.keySet()),
            (name, tensor) -> Session.floats(tensor))
        .forEach(
            (name, found) -> {
              Tensor output = expected.get(name);
              for (int i = 0; output != null && i < found.length(); i++) {
                double difference = Math.abs((double) output.values()[i] - found.values()[i]);
                outputDifference = Math.max(outputDifference, difference);
              }
            });
  }

  /** Returns what was found so far. */
  public OnnxComparison snapshot() {
    ImmutableList.Builder<OnnxComparison.Layer> layers = ImmutableList.builder();
    counts.forEach(
        (name, count) ->
            layers.add(
                new OnnxComparison.Layer(
                    name,
                    count.elements,
                    count.mismatches,
                    count.maxDifference,
                    !unpromised.containsKey(name))));
    return new OnnxComparison(layers.build(), outputDifference);
  }

  @Override
  public void close() {
    network.close();
  }
}
