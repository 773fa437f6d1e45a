package org.dl4jquant.dl4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.common.collect.ImmutableMap;
import java.util.List;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.WorkspaceMode;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.preprocessor.CnnToFeedForwardPreProcessor;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.format.FixedPointFormat;
import org.dl4jquant.graph.ActivationFormat;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/**
 * The gradient behind a preprocessor that quantizes: with one example, that of a layer's bias is
 * that of the sums, so that what passes the preprocessor is known from the biases on both sides.
 */
final class SaturatedGradientTest {
  private static final FixedPointFormat FORMAT = FixedPointFormat.signed(4, 1); // -4 to 3.5
  private static final List<DataType> TYPES = List.of(DataType.FLOAT, DataType.DOUBLE);

  private static NeuralNetConfiguration.Builder base(DataType type, WorkspaceMode mode) {
    return new NeuralNetConfiguration.Builder()
        .seed(2)
        .dataType(type)
        .trainingWorkspaceMode(mode)
        .inferenceWorkspaceMode(mode)
        .activation(Activation.IDENTITY);
  }

  private static OutputLayer output() {
    return new OutputLayer.Builder(LossFunction.MSE).nOut(2).build();
  }

  private static DataSet example(DataType type, long... shape) {
    return new DataSet(
        Nd4j.rand(type, shape).muli(6).subi(3), Nd4j.createFromArray(1.0, 2.0).reshape(1, 2));
  }

  private static MultiLayerNetwork layers(DataType type, WorkspaceMode mode) {
    MultiLayerNetwork network =
        new MultiLayerNetwork(
            base(type, mode)
                .list()
                .layer(new DenseLayer.Builder().nOut(9).build())
                .layer(output())
                .inputPreProcessor(
                    1,
                    FakeQuantizedPreProcessor.of(
                        FakeQuantizer.of(ActivationFormat.perTensor(FORMAT), 1)))
                .setInputType(InputType.feedForward(5))
                .build());
    network.init();
    network.getParam("0_W").muli(3);
    return network;
  }

  @Test
  void itIsZeroWhereAValueOfALayerSaturates() {
    for (DataType type : TYPES) {
      for (WorkspaceMode mode : new WorkspaceMode[] {WorkspaceMode.ENABLED, WorkspaceMode.NONE}) {
        MultiLayerNetwork network = layers(type, mode);
        for (int i = 0; i < 3; i++) {
          DataSet data = example(type, 1, 5);
          network.output(Nd4j.rand(type, 7, 5)); // of another shape
          INDArray values =
              data.getFeatures().mmul(network.getParam("0_W")).addi(network.getParam("0_b"));
          computeGradient(network, data);
          assertPasses(network, values, "0_b", "1_b", network.getParam("1_W"));
          network.output(data.getFeatures().mul(0)); // of the same shape, all inside
          computeGradient(network, data);
          assertPasses(network, values, "0_b", "1_b", network.getParam("1_W"));
        }
      }
    }
  }

  private static void computeGradient(MultiLayerNetwork network, DataSet data) {
    network.setInput(data.getFeatures());
    network.setLabels(data.getLabels().castTo(data.getFeatures().dataType()));
    network.computeGradientAndScore();
  }

  /** Compares the gradient before the quantizer with that behind it, masked. */
  private static void assertPasses(
      Model network, INDArray values, String before, String after, INDArray weights) {
    INDArray behind =
        network.gradient().gradientForVariable().get(after).reshape(1, 2).mmul(weights.transpose());
    INDArray inside =
        values
            .gte(FORMAT.minValue())
            .castTo(values.dataType())
            .muli(values.lte(FORMAT.maxValue()).castTo(values.dataType()));
    double share = inside.meanNumber().doubleValue();
    assertTrue(share > 0 && share < 1, share + " inside");
    INDArray expected = behind.mul(inside.reshape(behind.shape()));
    INDArray actual = network.gradient().gradientForVariable().get(before).reshape(1, 9);
    assertTrue(expected.equalsWithEps(actual, 1e-5), expected + ", found " + actual);
  }

  @Test
  void itIsZeroWhereASumOfVerticesSaturates() {
    for (DataType type : TYPES) {
      ComputationGraph plain =
          new ComputationGraph(
              base(type, WorkspaceMode.ENABLED)
                  .graphBuilder()
                  .addInputs("in")
                  .addLayer("left", new DenseLayer.Builder().nOut(9).build(), "in")
                  .addLayer("right", new DenseLayer.Builder().nOut(9).build(), "in")
                  .addVertex(
                      "sum", new ElementWiseVertex(ElementWiseVertex.Op.Add), "left", "right")
                  .addLayer("out", output(), "sum")
                  .setOutputs("out")
                  .setInputTypes(InputType.feedForward(5))
                  .build());
      plain.init();
      plain.getParam("left_W").muli(3);
      Dl4jNetwork network = Dl4jNetwork.of(plain);
      ComputationGraph graph =
          (ComputationGraph)
              FakeQuantizedNetwork.of(
                      network,
                      GraphReader.read(network),
                      ImmutableMap.of("sum", ActivationFormat.perTensor(FORMAT)))
                  .model();
      for (int i = 0; i < 3; i++) {
        DataSet data = example(type, 1, 5);
        INDArray values = plain.feedForward(data.getFeatures(), false).get("sum");
        graph.output(Nd4j.rand(type, 1, 5));
        graph.setInputs(data.getFeatures());
        graph.setLabels(data.getLabels().castTo(type));
        graph.computeGradientAndScore();
        assertPasses(graph, values, "left_b", "out_b", graph.getParam("out_W"));
        assertPasses(graph, values, "right_b", "out_b", graph.getParam("out_W"));
      }
    }
  }

  @Test
  void placesAreThoseOfTheChannelsBeforeWhatFollows() {
    ActivationFormat format =
        ActivationFormat.perChannel(List.of(FORMAT, FORMAT.withFractionalLength(3)));
    for (DataType type : TYPES) {
      MultiLayerNetwork network =
          new MultiLayerNetwork(
              base(type, WorkspaceMode.ENABLED)
                  .list()
                  .layer(new ConvolutionLayer.Builder(1, 1).nOut(2).hasBias(false).build())
                  .layer(output())
                  .inputPreProcessor(
                      1,
                      FakeQuantizedPreProcessor.of(FakeQuantizer.of(format, 1))
                          .followedBy(new CnnToFeedForwardPreProcessor(2, 3, 2)))
                  .setInputType(InputType.convolutional(2, 3, 1))
                  .build());
      network.init();
      network.getParam("0_W").assign(Nd4j.createFromArray(2.0, -1.0).reshape(2, 1, 1, 1));
      DataSet data = example(type, 1, 1, 2, 3);
      computeGradient(network, data);
      var gradients = network.gradient().gradientForVariable();
      INDArray behind =
          gradients.get("1_b").reshape(1, 2).mmul(network.getParam("1_W").transpose());
      for (int c = 0; c < 2; c++) {
        double expected = 0;
        double largest = c == 0 ? 3.5 : 0.875;
        double smallest = c == 0 ? -4 : -1;
        for (int i = 0; i < 6; i++) {
          double x = data.getFeatures().getDouble(0, 0, i / 3, i % 3);
          double value = x * (c == 0 ? 2 : -1);
          if (value >= smallest && value <= largest) {
            expected += behind.getDouble(0, c * 6 + i) * x;
          }
        }
        assertEquals(expected, gradients.get("0_W").getDouble(c), 1e-4 * (1 + Math.abs(expected)));
      }
    }
  }

  @Test
  void whatAPassRemembersIsNoPartOfTheConfiguration() {
    MultiLayerNetwork network = layers(DataType.FLOAT, WorkspaceMode.ENABLED);
    String before = network.getLayerWiseConfigurations().toJson();
    MultiLayerNetwork untouched = network.clone();
    network.output(Nd4j.rand(3, 5).muli(9));
    assertEquals(before, network.getLayerWiseConfigurations().toJson());
    assertEquals(untouched.getLayerWiseConfigurations(), network.getLayerWiseConfigurations());
  }
}
