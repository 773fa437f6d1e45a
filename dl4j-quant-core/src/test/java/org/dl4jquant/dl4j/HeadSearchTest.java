package org.dl4jquant.dl4j;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration.GraphBuilder;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex;
import org.deeplearning4j.nn.conf.graph.MergeVertex;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.CnnLossLayer;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.LossLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.conf.layers.misc.FrozenLayer;
import org.deeplearning4j.nn.conf.layers.objdetect.Yolo2OutputLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** The heads of networks of every form that an output can have. */
final class HeadSearchTest {
  private static List<Dl4jHead> heads(InputType input, Layer... layers) {
    NeuralNetConfiguration.ListBuilder list = new NeuralNetConfiguration.Builder().list();
    for (Layer layer : layers) {
      list.layer(layer);
    }
    MultiLayerNetwork network = new MultiLayerNetwork(list.setInputType(input).build());
    network.init();
    return Dl4jNetwork.of(network).heads();
  }

  private static GraphBuilder graph() {
    return new NeuralNetConfiguration.Builder().graphBuilder();
  }

  private static List<Dl4jHead> heads(GraphBuilder graph) {
    ComputationGraph network = new ComputationGraph(graph.build());
    network.init();
    return Dl4jNetwork.of(network).heads();
  }

  private static OutputLayer output(String name, int classes, LossFunction loss, Activation last) {
    return new OutputLayer.Builder(loss).name(name).nOut(classes).activation(last).build();
  }

  private static OutputLayer softmax(String name, int classes) {
    return output(name, classes, LossFunction.MCXENT, Activation.SOFTMAX);
  }

  private static DenseLayer dense(String name, int nOut) {
    return new DenseLayer.Builder().name(name).nOut(nOut).activation(Activation.IDENTITY).build();
  }

  private static ConvolutionLayer pointwise(String name, int channels) {
    return new ConvolutionLayer.Builder(1, 1).name(name).nOut(channels).build();
  }

  @Test
  void classifiersAreCoupledOthersAreNot() {
    InputType input = InputType.feedForward(4);
    assertEquals(
        List.of(new Dl4jHead("out", 10, true)), heads(input, dense("d", 5), softmax("out", 10)));
    assertEquals(
        List.of(new Dl4jHead("tags", 20, false)),
        heads(input, output("tags", 20, LossFunction.XENT, Activation.SIGMOID)));
    assertEquals(
        List.of(new Dl4jHead("price", 1, false)),
        heads(input, output("price", 1, LossFunction.MSE, Activation.IDENTITY)));
  }

  @Test
  void lossWithoutWeightsLeadsBackToTheLayerThatHasSome() {
    LossLayer loss =
        new LossLayer.Builder(LossFunction.MCXENT).activation(Activation.SOFTMAX).build();
    assertEquals(
        List.of(new Dl4jHead("layer0", 6, true)),
        heads(InputType.feedForward(4), new FrozenLayer(dense("inside", 6)), loss));
    assertEquals(
        List.of(new Dl4jHead("conv", 12, true)),
        heads(
            InputType.convolutional(4, 4, 1),
            pointwise("conv", 12),
            new GlobalPoolingLayer.Builder().build(),
            new ActivationLayer(Activation.SOFTMAX),
            new LossLayer.Builder(LossFunction.MCXENT).activation(Activation.IDENTITY).build()));
  }

  @Test
  void segmentationHasItsChannelsAsClasses() {
    assertEquals(
        List.of(new Dl4jHead("conv", 21, true)),
        heads(
            InputType.convolutional(4, 4, 3),
            pointwise("conv", 21),
            new CnnLossLayer.Builder(LossFunction.MCXENT).activation(Activation.SOFTMAX).build()));
    assertEquals(
        List.of(new Dl4jHead("conv", 1, false)),
        heads(
            InputType.convolutional(4, 4, 3),
            pointwise("conv", 1),
            new CnnLossLayer.Builder(LossFunction.XENT).activation(Activation.SIGMOID).build()));
  }

  @Test
  void sequencesHaveTheClassesOfAStep() {
    assertEquals(
        List.of(new Dl4jHead("step", 30, true)),
        heads(
            InputType.recurrent(3, 5),
            new LSTM.Builder().nOut(4).build(),
            new RnnOutputLayer.Builder(LossFunction.MCXENT)
                .name("step")
                .nOut(30)
                .activation(Activation.SOFTMAX)
                .build()));
  }

  @Test
  void boxesHaveTheClassesBesideTheirFiveNumbers() {
    assertEquals(
        List.of(new Dl4jHead("conv", 4, true)),
        heads(
            InputType.convolutional(4, 4, 3),
            pointwise("conv", 18),
            new Yolo2OutputLayer.Builder()
                .boundingBoxPriors(Nd4j.createFromArray(new float[][] {{1, 1}, {2, 2}}))
                .build()));
  }

  @Test
  void everyOutputOfAGraphHasAHeadOfItsOwn() {
    assertEquals(
        List.of(
            new Dl4jHead("age", 1, false),
            new Dl4jHead("kind", 100, true),
            new Dl4jHead("tags", 8, false)),
        heads(
            graph()
                .addInputs("in")
                .setInputTypes(InputType.feedForward(4))
                .addLayer("trunk", dense("trunk", 5), "in")
                .addLayer("kind", softmax("kind", 100), "trunk")
                .addLayer("age", output("age", 1, LossFunction.MSE, Activation.IDENTITY), "trunk")
                .addLayer("tags", output("tags", 8, LossFunction.XENT, Activation.SIGMOID), "trunk")
                .setOutputs("age", "kind", "tags")));
  }

  @Test
  void sumsAndMergesHaveTwoHeads() {
    LossLayer loss =
        new LossLayer.Builder(LossFunction.MCXENT).activation(Activation.SOFTMAX).build();
    GraphBuilder sum =
        graph()
            .addInputs("in")
            .setInputTypes(InputType.feedForward(4))
            .addLayer("a", dense("a", 9), "in")
            .addLayer("b", dense("b", 9), "in")
            .addVertex("sum", new ElementWiseVertex(ElementWiseVertex.Op.Add), "a", "b")
            .addLayer("loss", loss.clone(), "sum")
            .setOutputs("loss");
    assertEquals(List.of(new Dl4jHead("a", 9, true), new Dl4jHead("b", 9, true)), heads(sum));
    GraphBuilder merge =
        graph()
            .addInputs("in")
            .setInputTypes(InputType.feedForward(4))
            .addLayer("a", dense("a", 9), "in")
            .addLayer("b", dense("b", 3), "in")
            .addVertex("both", new MergeVertex(), "a", "b")
            .addLayer("norm", new BatchNormalization.Builder().nOut(12).build(), "both")
            .addLayer("loss", loss.clone(), "norm")
            .setOutputs("loss");
    assertEquals(List.of(new Dl4jHead("a", 12, true), new Dl4jHead("b", 12, true)), heads(merge));
  }

  @Test
  void ofTwoOutputsThatShareAHeadTheMoreDemandingCounts() {
    LossLayer regression =
        new LossLayer.Builder(LossFunction.MSE).activation(Activation.IDENTITY).build();
    LossLayer classes =
        new LossLayer.Builder(LossFunction.MCXENT).activation(Activation.SOFTMAX).build();
    assertEquals(
        List.of(new Dl4jHead("d", 6, true)),
        heads(
            graph()
                .addInputs("in")
                .setInputTypes(InputType.feedForward(4))
                .addLayer("d", dense("d", 6), "in")
                .addLayer("value", regression, "d")
                .addLayer("kind", classes, "d")
                .setOutputs("value", "kind")));
  }
}
