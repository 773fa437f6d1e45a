package org.dl4jquant.dl4j;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableMap;
import java.util.List;
import java.util.Random;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.execute.FloatNetwork;
import org.dl4jquant.graph.NetworkGraph;
import org.dl4jquant.onnxlayers.OnnxFloats;
import org.dl4jquant.tensor.Tensor;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Compares the graph of a network with what DL4J computes. */
public final class GraphComparison {
  private GraphComparison() {}

  /** Checks that all outputs agree within 1e-4 of the largest magnitude; returns the image. */
  static NetworkImage check(Model model, INDArray... inputs) {
    Dl4jNetwork network = Dl4jNetwork.of(model);
    NetworkImage image = GraphReader.read(network);
    checkGraph(image, network, inputs);
    return image;
  }

  static void checkGraph(NetworkImage image, Dl4jNetwork network, INDArray... inputs) {
    ImmutableList<INDArray> expected =
        network.output(List.of(inputs).stream().map(INDArray::dup).toArray(INDArray[]::new));
    ImmutableList<Tensor> actual = outputs(image.graph(), inputs);
    assertEquals(expected.size(), actual.size());
    checkOnnx(image, expected, actual, inputs);
    for (int i = 0; i < expected.size(); i++) {
      checkSame(image.graph().outputs().get(i), Tensors.of(expected.get(i)), actual.get(i));
    }
  }

  /** Checks the float export of the graph in ONNX Runtime, too. */
  private static void checkOnnx(
      NetworkImage image,
      ImmutableList<INDArray> expected,
      ImmutableList<Tensor> actual,
      INDArray... inputs) {
    NetworkGraph graph = image.graph();
    ImmutableMap.Builder<String, Tensor> given = ImmutableMap.builder();
    for (int i = 0; i < inputs.length; i++) {
      given.put(graph.inputs().get(i), Tensors.of(inputs[i]));
    }
    int batch = Math.toIntExact(inputs[0].size(0));
    ImmutableMap.Builder<String, Tensor> outputs = ImmutableMap.builder();
    for (int i = 0; i < expected.size(); i++) {
      String name = graph.outputs().get(i);
      INDArray array = expected.get(i);
      int rank = actual.get(i).rank();
      Layout layout = array.rank() == 2 ? Layout.STEPS : Layout.FOLDED;
      outputs.put(
          name, Tensors.inGraph(array, rank == array.rank() ? Layout.AS_IN_DL4J : layout, batch));
    }
    OnnxFloats.check(graph, given.buildOrThrow(), outputs.buildOrThrow());
  }

  /** Checks a network of these layers with shuffled parameters on three examples. */
  static NetworkImage checkLayer(InputType input, Layer... layers) {
    return check(network(input, layers), random(layers.length, input.getShape(true)));
  }

  public static MultiLayerNetwork network(InputType input, Layer... layers) {
    NeuralNetConfiguration.ListBuilder list = new NeuralNetConfiguration.Builder().seed(1).list();
    for (Layer layer : layers) {
      list.layer(layer);
    }
    MultiLayerNetwork network =
        new MultiLayerNetwork(list.setInputType(input).validateOutputLayerConfig(false).build());
    network.init();
    return shuffled(network, layers.length);
  }

  static ImmutableList<Tensor> outputs(NetworkGraph graph, INDArray... inputs) {
    ImmutableMap.Builder<String, Tensor> named = ImmutableMap.builder();
    for (int i = 0; i < inputs.length; i++) {
      named.put(graph.inputs().get(i), Tensors.of(inputs[i]));
    }
    ImmutableMap<String, Tensor> values = FloatNetwork.of(graph).values(named.buildOrThrow());
    return graph.outputs().stream().map(values::get).collect(ImmutableList.toImmutableList());
  }

  private static void checkSame(String name, Tensor expected, Tensor actual) {
    Tensor same =
        actual.rank() == 3 && expected.rank() == 2 && expected.size(0) != actual.size(0)
            ? rows(actual)
            : actual;
    assertArrayEquals(expected.shape(), same.shape(), name);
    float largest = 0;
    for (float value : expected.values()) {
      largest = Math.max(largest, Math.abs(value));
    }
    assertArrayEquals(expected.values(), same.values(), 1e-4f * largest, name);
  }

  /** DL4J numbers the rows of {@code [batch, features, time]} with the batch running fastest. */
  private static Tensor rows(Tensor sequences) {
    Tensor rows = Axes.permuted(sequences, 2, 0, 1);
    return rows.reshape(rows.size(0) * rows.size(1), rows.size(2));
  }

  /** Fills all parameters with numbers that leave no two alike and no variance negative. */
  public static <M extends Model> M shuffled(M model, long seed) {
    Random random = new Random(seed);
    for (Dl4jLayer layer : Dl4jNetwork.of(model).layers()) {
      for (Dl4jParameter parameter : layer.parameters()) {
        float[] values = new float[parameter.tensor().length()];
        for (int i = 0; i < values.length; i++) {
          values[i] =
              parameter.key().equals("var")
                  ? 0.2f + random.nextFloat()
                  : 0.6f * (random.nextFloat() - 0.45f);
        }
        parameter.assign(Tensor.of(values, parameter.tensor().shape()));
      }
    }
    return model;
  }

  /** Returns numbers around zero, the same for the same seed. */
  public static INDArray random(long seed, long... shape) {
    long[] sizes = shape.clone();
    sizes[0] = sizes[0] < 0 ? 3 : sizes[0];
    return Nd4j.rand(seed, sizes).subi(0.45).muli(3);
  }
}
