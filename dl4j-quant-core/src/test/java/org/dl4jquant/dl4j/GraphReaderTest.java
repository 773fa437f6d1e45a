package org.dl4jquant.dl4j;

import static org.dl4jquant.dl4j.GraphComparison.check;
import static org.dl4jquant.dl4j.GraphComparison.checkLayer;
import static org.dl4jquant.dl4j.GraphComparison.random;
import static org.dl4jquant.dl4j.GraphComparison.shuffled;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.common.collect.ImmutableMap;
import java.util.List;
import java.util.Optional;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex;
import org.deeplearning4j.nn.conf.graph.MergeVertex;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.DropoutLayer;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.graph.Node;
import org.dl4jquant.graph.Shape;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.activations.Activation;

class GraphReaderTest {
  private static MultiLayerNetwork leNet(InputType input) {
    MultiLayerNetwork network =
        new MultiLayerNetwork(
            new NeuralNetConfiguration.Builder()
                .seed(7)
                .activation(Activation.RELU)
                .list()
                .layer(new ConvolutionLayer.Builder(3, 3).name("conv").nOut(4).build())
                .layer(new BatchNormalization.Builder().name("norm").build())
                .layer(
                    new ActivationLayer.Builder().activation(Activation.RELU).name("relu").build())
                .layer(
                    new SubsamplingLayer.Builder(PoolingType.MAX)
                        .kernelSize(2, 2)
                        .stride(2, 2)
                        .build())
                .layer(new DropoutLayer.Builder(0.5).name("dropout").build())
                .layer(new DenseLayer.Builder().name("dense").nOut(6).build())
                .layer(
                    new OutputLayer.Builder()
                        .name("out")
                        .nOut(3)
                        .activation(Activation.SOFTMAX)
                        .build())
                .setInputType(input)
                .build());
    network.init();
    return shuffled(network, 3);
  }

  @Test
  void leNetIsReadWithNamesAndSources() {
    NetworkImage image = check(leNet(InputType.convolutional(9, 10, 2)), random(1, 3, 2, 9, 10));
    assertEquals(
        List.of(
            "input",
            "conv/preactivation",
            "conv",
            "norm",
            "relu",
            "layer3",
            "dense/input",
            "dense/preactivation",
            "dense",
            "out/preactivation",
            "out"),
        image.graph().nodes().stream().map(Node::name).toList());
    assertEquals(Shape.of(2, -1, -1), image.graph().shape("input"));
    assertEquals(ImmutableMap.of(), image.floatReasons());
    assertEquals(
        new WeightSource("out", "W", Optional.of("b")), image.weights().get("out/preactivation"));
    assertEquals(3, image.weights().size());
    assertTrue(image.graph().nodes().stream().noneMatch(node -> node.layer().isEmpty()));
  }

  @Test
  void flatInputHasKnownShapes() {
    NetworkImage image =
        check(leNet(InputType.convolutionalFlat(9, 10, 2)), random(1, 3, 9 * 10 * 2));
    assertEquals(Shape.of(180), image.graph().shape("input"));
    assertEquals(Shape.of(2, 9, 10), image.graph().shape("conv/input"));
    assertEquals(Shape.of(4 * 3 * 4), image.graph().shape("dense/input"));
  }

  @Test
  void givenInputShapeIsUsed() {
    Dl4jNetwork network = Dl4jNetwork.of(leNet(InputType.convolutional(9, 10, 2)));
    NetworkImage image = GraphReader.read(network, ImmutableMap.of("input", Shape.of(2, 9, 10)));
    assertEquals(Shape.of(48), image.graph().shape("dense/input"));
  }

  @Test
  void graphWithTwoInputsAndOutputsIsRead() {
    ComputationGraph network =
        new ComputationGraph(
            new NeuralNetConfiguration.Builder()
                .seed(7)
                .activation(Activation.TANH)
                .graphBuilder()
                .addInputs("image", "vector")
                .addLayer(
                    "conv",
                    new ConvolutionLayer.Builder(3, 3).padding(1, 1).nOut(2).build(),
                    "image")
                .addVertex("sum", new ElementWiseVertex(ElementWiseVertex.Op.Add), "conv", "image")
                .addLayer("dense", new DenseLayer.Builder().nOut(5).build(), "sum")
                .addVertex("merged", new MergeVertex(), "dense", "vector")
                .addLayer(
                    "out",
                    new OutputLayer.Builder().nOut(3).activation(Activation.SOFTMAX).build(),
                    "merged")
                .addLayer("drop", new DropoutLayer.Builder(0.5).build(), "dense")
                .setOutputs("out", "drop", "dense")
                .setInputTypes(InputType.convolutional(5, 6, 2), InputType.feedForward(4))
                .build());
    network.init();
    NetworkImage image = check(shuffled(network, 5), random(1, 3, 2, 5, 6), random(2, 3, 4));
    assertEquals(List.of("image", "vector"), image.graph().inputs());
    assertEquals(List.of("out", "drop", "dense"), image.graph().outputs());
    assertEquals(ImmutableMap.of(), image.floatReasons());
  }

  @Test
  void shapeIsToldByTheLayersBehindADropout() {
    InputType image = InputType.convolutional(5, 6, 2);
    Layer convolution = new ConvolutionLayer.Builder(3, 3).nOut(4).build();
    NetworkImage read = checkLayer(image, new DropoutLayer.Builder(0.5).build(), convolution);
    assertEquals(Shape.of(2, -1, -1), read.graph().shape("input"));
    Layer lstm = new LSTM.Builder().nOut(4).build();
    read = checkLayer(InputType.recurrent(3, 5), new DropoutLayer.Builder(0.5).build(), lstm);
    assertEquals(Shape.of(3, -1), read.graph().shape("input"));
    Layer dense = new DenseLayer.Builder().nOut(4).build();
    read = checkLayer(InputType.feedForward(3), new DropoutLayer.Builder(0.5).build(), dense);
    assertEquals(Shape.of(3), read.graph().shape("input"));
  }
}
