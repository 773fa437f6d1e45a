package org.dl4jquant.dl4j;

import static org.dl4jquant.dl4j.GraphComparison.check;
import static org.dl4jquant.dl4j.GraphComparison.random;
import static org.dl4jquant.dl4j.GraphComparison.shuffled;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.common.collect.ImmutableMap;
import com.google.common.collect.ImmutableSet;
import java.util.List;
import org.deeplearning4j.nn.conf.CNN2DFormat;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration.GraphBuilder;
import org.deeplearning4j.nn.conf.InputPreProcessor;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.RNNFormat;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex;
import org.deeplearning4j.nn.conf.graph.FrozenVertex;
import org.deeplearning4j.nn.conf.graph.GraphVertex;
import org.deeplearning4j.nn.conf.graph.L2NormalizeVertex;
import org.deeplearning4j.nn.conf.graph.L2Vertex;
import org.deeplearning4j.nn.conf.graph.MergeVertex;
import org.deeplearning4j.nn.conf.graph.PoolHelperVertex;
import org.deeplearning4j.nn.conf.graph.PreprocessorVertex;
import org.deeplearning4j.nn.conf.graph.ReshapeVertex;
import org.deeplearning4j.nn.conf.graph.ScaleVertex;
import org.deeplearning4j.nn.conf.graph.ShiftVertex;
import org.deeplearning4j.nn.conf.graph.StackVertex;
import org.deeplearning4j.nn.conf.graph.SubsetVertex;
import org.deeplearning4j.nn.conf.graph.rnn.DuplicateToTimeSeriesVertex;
import org.deeplearning4j.nn.conf.graph.rnn.LastTimeStepVertex;
import org.deeplearning4j.nn.conf.graph.rnn.ReverseTimeSeriesVertex;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.Convolution1DLayer;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.conf.layers.misc.FrozenLayer;
import org.deeplearning4j.nn.conf.preprocessor.CnnToFeedForwardPreProcessor;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.dl4jquant.graph.Shape;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.activations.Activation;

class VerticesTest {
  private static GraphBuilder builder() {
    return new NeuralNetConfiguration.Builder()
        .seed(3)
        .graphBuilder()
        .allowDisconnected(true)
        .validateOutputLayerConfig(false);
  }

  private static ComputationGraph built(GraphBuilder builder) {
    ComputationGraph network = new ComputationGraph(builder.build());
    network.init();
    return shuffled(network, 11);
  }

  /** Puts the vertex behind dense layers {@code a} and {@code b} of four units. */
  private static NetworkImage behindDense(GraphVertex vertex, String... inputs) {
    return check(
        built(
            builder()
                .addInputs("in")
                .addLayer("a", new DenseLayer.Builder().nOut(4).build(), "in")
                .addLayer("b", new DenseLayer.Builder().nOut(4).build(), "in")
                .addVertex("v", vertex, inputs)
                .setOutputs("v")
                .setInputTypes(InputType.feedForward(5))),
        random(1, 3, 5));
  }

  /** Puts the vertex behind convolutions {@code a} and {@code b}, and a dense layer behind it. */
  private static NetworkImage behindImages(
      CNN2DFormat format, GraphVertex vertex, String... inputs) {
    InputType input = InputType.convolutional(5, 4, 2, format);
    return check(
        built(
            builder()
                .addInputs("in")
                .addLayer(
                    "a",
                    new ConvolutionLayer.Builder(2, 2).dataFormat(format).nOut(4).build(),
                    "in")
                .addLayer(
                    "b",
                    new ConvolutionLayer.Builder(2, 2).dataFormat(format).nOut(4).build(),
                    "in")
                .addVertex("v", vertex, inputs)
                .addLayer("dense", new DenseLayer.Builder().nOut(3).build(), "v")
                .setOutputs("v", "dense")
                .setInputTypes(input)),
        random(1, input.getShape(true)));
  }

  private static NetworkImage behindSequences(GraphVertex vertex, String... inputs) {
    return check(
        built(
            builder()
                .addInputs("in")
                .addLayer("a", new Convolution1DLayer.Builder(2).nOut(4).build(), "in")
                .addLayer("b", new LSTM.Builder().nOut(4).build(), "a")
                .addVertex("v", vertex, inputs)
                .setOutputs("v")
                .setInputTypes(InputType.recurrent(3, 6))),
        random(1, 3, 3, 6));
  }

  private static void assertInteger(NetworkImage image) {
    assertEquals(ImmutableMap.of(), image.floatReasons());
  }

  @Test
  void elementWiseOperations() {
    for (ElementWiseVertex.Op op : ElementWiseVertex.Op.values()) {
      boolean floating = op == ElementWiseVertex.Op.Product || op == ElementWiseVertex.Op.Max;
      for (CNN2DFormat format : CNN2DFormat.values()) {
        assertEquals(
            floating,
            behindImages(format, new ElementWiseVertex(op), "a", "b")
                .floatReasons()
                .containsKey("v"));
      }
      assertEquals(
          floating,
          behindDense(new ElementWiseVertex(op), "a", "b").floatReasons().containsKey("v"));
    }
  }

  @Test
  void mergedChannels() {
    assertInteger(behindDense(new MergeVertex(), "a", "b", "in"));
    for (CNN2DFormat format : CNN2DFormat.values()) {
      assertInteger(behindImages(format, new MergeVertex(), "a", "b", "a"));
    }
    behindSequences(new MergeVertex(), "a", "b");
  }

  @Test
  void constants() {
    for (GraphVertex vertex : List.of(new ScaleVertex(-0.3), new ShiftVertex(0.7))) {
      assertInteger(behindDense(vertex, "a"));
      for (CNN2DFormat format : CNN2DFormat.values()) {
        assertInteger(behindImages(format, vertex, "a"));
      }
    }
  }

  @Test
  void subsets() {
    assertInteger(behindDense(new SubsetVertex(1, 2), "a"));
    assertInteger(behindDense(new SubsetVertex(0, 0), "b"));
    subsetOfImages();
  }

  private static void subsetOfImages() {
    ComputationGraph network =
        built(
            builder()
                .addInputs("in")
                .addLayer("a", new ConvolutionLayer.Builder(2, 2).nOut(4).build(), "in")
                .addVertex("v", new SubsetVertex(1, 3), "a")
                .setOutputs("v")
                .setInputTypes(InputType.convolutional(5, 4, 2)));
    assertEquals(
        ImmutableSet.of("v"), check(network, random(1, 3, 2, 5, 4)).floatReasons().keySet());
    NetworkImage image =
        GraphReader.read(Dl4jNetwork.of(network), ImmutableMap.of("in", Shape.of(2, 5, 4)));
    assertInteger(image);
    GraphComparison.checkGraph(image, Dl4jNetwork.of(network), random(1, 3, 2, 5, 4));
  }

  @Test
  void shapes() {
    assertInteger(behindDense(new ReshapeVertex(-1, 2, 2), "a"));
    assertEquals(
        ImmutableSet.of("v"),
        behindDense(new ReshapeVertex('f', new int[] {-1, 2, 2}, null), "a")
            .floatReasons()
            .keySet());
    assertInteger(
        check(
            built(
                builder()
                    .addInputs("in")
                    .addLayer("a", new ConvolutionLayer.Builder(2, 2).nOut(4).build(), "in")
                    .addVertex("v", new PoolHelperVertex(), "a")
                    .setOutputs("v")
                    .setInputTypes(InputType.convolutional(5, 4, 2))),
            random(1, 3, 2, 5, 4)));
    for (CNN2DFormat format : CNN2DFormat.values()) {
      InputPreProcessor flat = new CnnToFeedForwardPreProcessor(4, 3, 4, format);
      assertInteger(behindImages(format, new PreprocessorVertex(flat), "a"));
    }
  }

  @Test
  void time() {
    assertTrue(behindSequences(new LastTimeStepVertex("in"), "b").floatReasons().containsKey("v"));
    behindSequences(new ReverseTimeSeriesVertex("in"), "b");
    NetworkImage image =
        check(
            built(
                builder()
                    .addInputs("in", "time")
                    .addLayer("a", new DenseLayer.Builder().nOut(4).build(), "in")
                    .addVertex("v", new DuplicateToTimeSeriesVertex("time"), "a")
                    .addVertex("m", new MergeVertex(), "v", "time")
                    .addLayer(
                        "out",
                        new RnnOutputLayer.Builder().nOut(2).activation(Activation.SOFTMAX).build(),
                        "m")
                    .setOutputs("out")
                    .setInputTypes(InputType.feedForward(3), InputType.recurrent(2, 5))),
            random(1, 3, 3),
            random(2, 3, 2, 5));
    assertEquals(ImmutableSet.of("v"), image.floatReasons().keySet());
  }

  @Test
  void knownLengthsNeedNoFloat() {
    ComputationGraph network =
        built(
            builder()
                .addInputs("in")
                .addLayer("a", new Convolution1DLayer.Builder(2).nOut(4).build(), "in")
                .addVertex("last", new LastTimeStepVertex("in"), "a")
                .addVertex("all", new DuplicateToTimeSeriesVertex("in"), "last")
                .setOutputs("all")
                .setInputTypes(InputType.recurrent(3, 6)));
    Dl4jNetwork dl4j = Dl4jNetwork.of(network);
    NetworkImage image = GraphReader.read(dl4j, ImmutableMap.of("in", Shape.of(3, 6)));
    assertInteger(image);
    GraphComparison.checkGraph(image, dl4j, random(1, 3, 3, 6));
  }

  @Test
  void otherVerticesStayFloat() {
    assertEquals(
        ImmutableSet.of("v"), behindDense(new L2NormalizeVertex(), "a").floatReasons().keySet());
    assertEquals(
        ImmutableSet.of("v"), behindDense(new L2Vertex(), "a", "b").floatReasons().keySet());
  }

  @Test
  void frozenPartsAreReadLikeOthers() {
    assertInteger(behindDense(new FrozenVertex(new ScaleVertex(2)), "a"));
    assertInteger(
        check(
            built(
                builder()
                    .addInputs("in")
                    .addLayer("a", new FrozenLayer(new DenseLayer.Builder().nOut(4).build()), "in")
                    .setOutputs("a")
                    .setInputTypes(InputType.feedForward(5))),
            random(1, 3, 5)));
  }

  @Test
  void changedBatchIsRefused() {
    IllegalArgumentException refused =
        assertThrows(
            IllegalArgumentException.class, () -> behindDense(new StackVertex(), "a", "b"));
    assertTrue(refused.getMessage().startsWith("layer 'v': "), refused::getMessage);
  }

  @Test
  void channelsLastSequencesAreMerged() {
    RNNFormat last = RNNFormat.NWC;
    MergeVertex merge = new MergeVertex();
    NetworkImage image =
        check(
            built(
                builder()
                    .addInputs("in")
                    .addLayer(
                        "a",
                        new Convolution1DLayer.Builder(2).rnnDataFormat(last).nOut(4).build(),
                        "in")
                    .addLayer(
                        "b",
                        new Convolution1DLayer.Builder(2).rnnDataFormat(last).nOut(3).build(),
                        "in")
                    .addVertex("v", merge, "a", "b")
                    .setOutputs("v")
                    .setInputTypes(InputType.recurrent(3, 6, last))),
            random(1, 3, 6, 3));
    assertInteger(image);
  }
}
