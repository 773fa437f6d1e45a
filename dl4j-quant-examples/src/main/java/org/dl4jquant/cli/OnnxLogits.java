package org.dl4jquant.cli;

import static com.google.common.collect.ImmutableList.toImmutableList;

import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import onnx.Onnx.GraphProto;
import onnx.Onnx.ModelProto;
import onnx.Onnx.NodeProto;
import onnx.Onnx.ValueInfoProto;
import org.dl4jquant.cli.LogitsNetwork.Last;
import org.dl4jquant.onnxruntime.InvalidOnnxException;
import org.dl4jquant.onnxruntime.OnnxNetwork;
import org.dl4jquant.onnxruntime.OnnxRuntimeOptions;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.shade.protobuf.InvalidProtocolBufferException;

/**
 * An ONNX network that gives the values before its last softmax or sigmoid; one without gives its
 * output.
 *
 * @param last where the activation was taken away
 */
record OnnxLogits(OnnxNetwork network, Last last) {
  private static final ImmutableSet<String> MOVING =
      ImmutableSet.of("Transpose", "Reshape", "Flatten", "Identity", "Squeeze", "Unsqueeze");
  private static final ImmutableSet<String> ROUNDING =
      ImmutableSet.of("QuantizeLinear", "DequantizeLinear", "Clip", "Round");
  private static final ImmutableSet<String> FLOAT_ROUNDING =
      ImmutableSet.of("Max", "Min", "Div", "Mul");
  private static final ImmutableSet<String> LIMITS =
      ImmutableSet.of("/lowest", "/highest", "/scale");

  /**
   * Prepares a model for one of its outputs.
   *
   * @param output the index of the output
   * @param outputs how many outputs the model must have
   * @throws CommandFailedException if it is none
   */
  static OnnxLogits of(String source, byte[] model, int output, int outputs) {
    ModelProto parsed;
    try {
      parsed = ModelProto.parseFrom(model);
    } catch (InvalidProtocolBufferException e) {
      throw new CommandFailedException(source + ": is not an ONNX model: " + Messages.of(e), e);
    }
    if (parsed.getGraph().getOutputCount() != outputs) {
      throw new CommandFailedException(
          "%s: must have as many outputs as MODEL, %d, found %d"
              .formatted(source, outputs, parsed.getGraph().getOutputCount()));
    }
    ValueInfoProto wanted = parsed.getGraph().getOutput(output);
    GraphProto graph = parsed.getGraph().toBuilder().clearOutput().addOutput(wanted).build();
    Ending ending = Ending.of(graph);
    byte[] changed =
        ending.last() == Last.OTHER && outputs == 1
            ? model
            : parsed.toBuilder().setGraph(ending.removedFrom(graph)).build().toByteArray();
    try {
      return new OnnxLogits(OnnxNetwork.of(changed, OnnxRuntimeOptions.DEFAULTS), ending.last());
    } catch (InvalidOnnxException e) {
      throw new CommandFailedException(source + ": " + Messages.of(e), e);
    }
  }

  INDArray output(INDArray... inputs) {
    return network.output(inputs);
  }

  /**
   * What a graph ends with.
   *
   * @param last the activation
   * @param nodes it and the rounding of what it gives, by the names of their outputs
   */
  private record Ending(Last last, ImmutableList<NodeProto> nodes) {
    static Ending of(GraphProto graph) {
      Map<String, NodeProto> producers = new HashMap<>();
      graph
          .getNodeList()
          .forEach(node -> node.getOutputList().forEach(o -> producers.put(o, node)));
      ImmutableList.Builder<NodeProto> passed = ImmutableList.builder();
      Set<String> seen = new HashSet<>();
      String value = graph.getOutput(0).getName();
      NodeProto node = producers.get(value);
      while (node != null && seen.add(value)) {
        String type = node.getOpType();
        if (type.equals("Softmax") || type.equals("Sigmoid")) {
          return new Ending(
              type.equals("Softmax") ? Last.SOFTMAX : Last.SIGMOID, passed.add(node).build());
        }
        boolean rounds = isRounding(node);
        if (!(MOVING.contains(type) || rounds) || node.getInputCount() == 0) {
          break;
        }
        if (rounds) {
          passed.add(node);
        }
        value = node.getInput(0);
        node = producers.get(value);
      }
      return new Ending(Last.OTHER, ImmutableList.of());
    }

    /** Codes of 16 bits are rounded by float operations where the opset has no type for them. */
    private static boolean isRounding(NodeProto node) {
      return ROUNDING.contains(node.getOpType())
          || (node.getInputCount() == 2
              && FLOAT_ROUNDING.contains(node.getOpType())
              && LIMITS.stream().anyMatch(node.getInput(1)::endsWith));
    }

    GraphProto removedFrom(GraphProto graph) {
      Map<String, String> names = new HashMap<>();
      for (NodeProto node : nodes.reverse()) {
        String input = node.getInput(0);
        names.put(node.getOutput(0), names.getOrDefault(input, input));
      }
      GraphProto.Builder changed = graph.toBuilder().clearNode();
      for (NodeProto node : graph.getNodeList()) {
        if (!nodes.contains(node)) {
          NodeProto.Builder own = node.toBuilder().clearInput();
          own.addAllInput(
              node.getInputList().stream()
                  .map(input -> names.getOrDefault(input, input))
                  .collect(toImmutableList()));
          changed.addNode(own);
        }
      }
      ValueInfoProto.Builder output = graph.getOutput(0).toBuilder();
      output.setName(names.getOrDefault(output.getName(), output.getName()));
      return changed.setOutput(0, output).build();
    }
  }
}
