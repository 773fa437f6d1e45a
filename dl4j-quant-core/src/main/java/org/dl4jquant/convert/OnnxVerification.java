package org.dl4jquant.convert;

import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableMap;
import org.dl4jquant.dl4j.Dl4jNetwork;
import org.dl4jquant.dl4j.GraphReader;
import org.dl4jquant.dl4j.Layout;
import org.dl4jquant.dl4j.NetworkImage;
import org.dl4jquant.dl4j.Tensors;
import org.dl4jquant.graph.NetworkGraph;
import org.dl4jquant.internal.Checks;
import org.dl4jquant.onnxruntime.OnnxComparison;
import org.dl4jquant.onnxruntime.OnnxNetwork;
import org.dl4jquant.onnxruntime.OnnxVerifier;
import org.dl4jquant.tensor.Tensor;
import org.nd4j.linalg.api.ndarray.INDArray;

/** A model's ONNX file beside the model itself, batch by batch. Not thread-safe. */
sealed interface OnnxVerification extends AutoCloseable {
  /** Compares one batch. */
  void accept(INDArray... inputs);

  /** Returns what was found so far. */
  OnnxComparison snapshot();

  @Override
  void close();

  private static ImmutableMap<String, Tensor> named(NetworkGraph graph, INDArray... inputs) {
    ImmutableList<String> names = graph.inputs();
    Checks.that(inputs.length == names.size(), "inputs", "be " + names, inputs.length);
    ImmutableMap.Builder<String, Tensor> named = ImmutableMap.builder();
    for (int i = 0; i < inputs.length; i++) {
      named.put(names.get(i), Tensors.of(inputs[i]));
    }
    return named.buildOrThrow();
  }

  /** Compares codes with those of the integer network. */
  record OfCodes(OnnxVerifier verifier, NetworkGraph graph) implements OnnxVerification {
    @Override
    public void accept(INDArray... inputs) {
      verifier.accept(named(graph, inputs));
    }

    @Override
    public OnnxComparison snapshot() {
      return verifier.snapshot();
    }

    @Override
    public void close() {
      verifier.close();
    }
  }

  /** Compares outputs with those of DL4J, where only weights are quantized. */
  final class OfOutputs implements OnnxVerification {
    private final OnnxNetwork network;
    private final Dl4jNetwork reference;
    private final NetworkImage image;
    private double difference;

    OfOutputs(OnnxNetwork network, Dl4jNetwork reference) {
      this.network = network;
      this.reference = reference;
      this.image = GraphReader.read(reference);
    }

    @Override
    public void accept(INDArray... inputs) {
      ImmutableMap<String, Tensor> found = network.outputs(named(image.graph(), inputs));
      ImmutableList<INDArray> expected = reference.output(inputs);
      int batch = Math.toIntExact(inputs[0].size(0));
      ImmutableList<String> outputs = image.graph().outputs();
      for (int i = 0; i < outputs.size(); i++) {
        String name = outputs.get(i);
        Tensor other = found.get(name);
        if (other == null) {
          throw Checks.violated("outputs of the file", "be " + outputs, found.keySet());
        }
        add(inGraph(expected.get(i), other, batch), other);
      }
    }

    /** The graph gives the steps of a sequence where DL4J may give rows for all of them. */
    private static Tensor inGraph(INDArray array, Tensor like, int batch) {
      if (array.rank() == like.rank()) {
        return Tensors.of(array);
      }
      return Tensors.inGraph(array, array.rank() == 2 ? Layout.STEPS : Layout.FOLDED, batch);
    }

    private void add(Tensor expected, Tensor found) {
      Checks.that(found.length() == expected.length(), "output", "be like " + expected, found);
      for (int i = 0; i < expected.length(); i++) {
        double distance = Math.abs((double) expected.values()[i] - found.values()[i]);
        difference = Math.max(difference, Double.isNaN(distance) ? Double.MAX_VALUE : distance);
      }
    }

    @Override
    public OnnxComparison snapshot() {
      return new OnnxComparison(ImmutableList.of(), difference);
    }

    @Override
    public void close() {
      network.close();
    }
  }
}
