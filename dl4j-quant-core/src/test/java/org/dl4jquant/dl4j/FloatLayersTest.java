package org.dl4jquant.dl4j;

import static org.dl4jquant.dl4j.GraphComparison.check;
import static org.dl4jquant.dl4j.GraphComparison.checkLayer;
import static org.dl4jquant.dl4j.GraphComparison.random;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.common.collect.ImmutableMap;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.deeplearning4j.nn.conf.RNNFormat;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.Convolution1DLayer;
import org.deeplearning4j.nn.conf.layers.Convolution3D;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.Deconvolution3D;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.EmbeddingLayer;
import org.deeplearning4j.nn.conf.layers.EmbeddingSequenceLayer;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.GravesBidirectionalLSTM;
import org.deeplearning4j.nn.conf.layers.GravesLSTM;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.LocalResponseNormalization;
import org.deeplearning4j.nn.conf.layers.LocallyConnected1D;
import org.deeplearning4j.nn.conf.layers.LocallyConnected2D;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.PReLULayer;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.conf.layers.RecurrentAttentionLayer;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.conf.layers.SelfAttentionLayer;
import org.deeplearning4j.nn.conf.layers.SpaceToDepthLayer;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.deeplearning4j.nn.conf.layers.misc.ElementWiseMultiplicationLayer;
import org.deeplearning4j.nn.conf.layers.recurrent.Bidirectional;
import org.deeplearning4j.nn.conf.layers.recurrent.LastTimeStep;
import org.deeplearning4j.nn.conf.layers.recurrent.SimpleRnn;
import org.deeplearning4j.nn.conf.layers.util.MaskZeroLayer;
import org.deeplearning4j.nn.conf.layers.variational.VariationalAutoencoder;
import org.dl4jquant.execute.FloatNetwork;
import org.dl4jquant.graph.NetworkGraph;
import org.dl4jquant.graph.Shape;
import org.dl4jquant.tensor.Tensor;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.activations.impl.ActivationGELU;
import org.nd4j.linalg.activations.impl.ActivationRReLU;
import org.nd4j.linalg.activations.impl.ActivationRationalTanh;
import org.nd4j.linalg.activations.impl.ActivationReLU;
import org.nd4j.linalg.activations.impl.ActivationThresholdedReLU;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Layers that stay float are run by DL4J inside the graph. */
@SuppressWarnings("deprecation") // users still have networks of the old kinds
class FloatLayersTest {
  private static final InputType VECTOR = InputType.feedForward(5);
  private static final InputType SEQUENCE = InputType.recurrent(5, 6);
  private static final InputType IMAGE = InputType.convolutional(7, 6, 3);
  private static final InputType VOLUME =
      InputType.convolutional3D(Convolution3D.DataFormat.NCDHW, 6, 5, 6, 2);

  private static void checkFloat(InputType input, Layer layer) {
    NetworkImage image = checkLayer(input, layer);
    assertEquals(List.of("layer0"), image.floatReasons().keySet().asList());
  }

  @Test
  void recurrentLayers() {
    for (Layer layer :
        List.of(
            new LSTM.Builder().nOut(4).build(),
            new GravesLSTM.Builder().nOut(4).build(),
            new GravesBidirectionalLSTM.Builder().nOut(4).build(),
            new SimpleRnn.Builder().nOut(4).build(),
            new Bidirectional(new LSTM.Builder().nOut(4).build()),
            new LastTimeStep(new SimpleRnn.Builder().nOut(4).build()),
            new MaskZeroLayer(new LSTM.Builder().nOut(4).build(), 0.0))) {
      checkFloat(SEQUENCE, layer);
    }
    checkFloat(
        InputType.recurrent(5, 6, RNNFormat.NWC),
        new LSTM.Builder().dataFormat(RNNFormat.NWC).nOut(4).build());
  }

  @Test
  void attention() {
    for (Layer layer :
        List.of(
            new SelfAttentionLayer.Builder().nOut(4).nHeads(2).projectInput(true).build(),
            new RecurrentAttentionLayer.Builder()
                .nIn(5)
                .nOut(4)
                .nHeads(1)
                .projectInput(true)
                .build())) {
      checkFloat(SEQUENCE, layer);
    }
  }

  @Test
  void otherLayers() {
    checkFloat(
        VECTOR,
        new VariationalAutoencoder.Builder()
            .encoderLayerSizes(6)
            .decoderLayerSizes(6)
            .nOut(3)
            .build());
    checkFloat(VECTOR, new ElementWiseMultiplicationLayer.Builder().nIn(5).nOut(5).build());
    checkFloat(VECTOR, new DenseLayer.Builder().nOut(4).hasLayerNorm(true).build());
    checkFloat(SEQUENCE, new LocallyConnected1D.Builder().kernelSize(2).nOut(4).build());
    checkFloat(IMAGE, new LocallyConnected2D.Builder().kernelSize(2, 2).nOut(4).build());
    checkFloat(VOLUME, new Convolution3D.Builder(2, 2, 2).nOut(4).build());
    checkFloat(VOLUME, new Deconvolution3D.Builder().kernelSize(2, 2, 2).nOut(4).build());
    checkFloat(
        IMAGE, new SubsamplingLayer.Builder(PoolingType.PNORM).pnorm(2).kernelSize(2, 2).build());
    checkFloat(
        InputType.convolutional(6, 4, 3),
        new SpaceToDepthLayer.Builder<>(2, SpaceToDepthLayer.DataFormat.NCHW).build());
  }

  @Test
  void layersBehindAConvolution() {
    for (Layer layer :
        List.of(
            new LocalResponseNormalization.Builder().build(),
            new GlobalPoolingLayer(PoolingType.PNORM))) {
      NetworkImage image =
          checkLayer(IMAGE, new ConvolutionLayer.Builder(2, 2).nOut(3).build(), layer);
      assertEquals(List.of("layer1"), image.floatReasons().keySet().asList());
    }
    NetworkImage image =
        checkLayer(
            IMAGE,
            new ConvolutionLayer.Builder(2, 2).nOut(3).build(),
            new PReLULayer.Builder().inputShape(3, 6, 5).sharedAxes(2, 3).build());
    assertEquals(
        ImmutableMap.of("layer1", "its slopes are learned per element"), image.floatReasons());
  }

  @Test
  void functionsWithoutIntegerForm() {
    for (var function :
        List.of(
            new ActivationGELU(true),
            new ActivationGELU(false),
            new ActivationRReLU(),
            new ActivationRationalTanh(),
            new ActivationThresholdedReLU(0.3),
            new ActivationReLU(2.0, 0.5, 0.1))) {
      NetworkImage image =
          checkLayer(
              IMAGE,
              new ConvolutionLayer.Builder(2, 2).nOut(3).activation(function).build(),
              new ActivationLayer(function),
              new DenseLayer.Builder().nOut(4).activation(function).build());
      assertEquals(3, image.floatReasons().size());
      assertEquals(3, image.weights().size() + 1);
      checkLayer(SEQUENCE, new DenseLayer.Builder().nOut(4).activation(function).build());
      checkLayer(SEQUENCE, new RnnOutputLayer.Builder().nOut(4).activation(function).build());
    }
  }

  @Test
  void everyOtherFunctionHasAnIntegerForm() {
    for (Activation activation : Activation.values()) {
      boolean floating =
          List.of("GELU", "RRELU", "RATIONALTANH", "THRESHOLDEDRELU").contains(activation.name());
      NetworkImage image =
          checkLayer(VECTOR, new DenseLayer.Builder().nOut(4).activation(activation).build());
      assertEquals(floating, !image.floatReasons().isEmpty(), activation::name);
    }
  }

  @Test
  void embeddings() {
    INDArray indices = Nd4j.createFromArray(new float[][] {{1}, {0}, {4}});
    check(
        GraphComparison.network(
            InputType.feedForward(5),
            new EmbeddingLayer.Builder().nIn(5).nOut(3).activation(Activation.TANH).build(),
            new OutputLayer.Builder().nOut(2).activation(Activation.SOFTMAX).build()),
        indices);
    check(
        GraphComparison.network(
            InputType.feedForward(5),
            new EmbeddingSequenceLayer.Builder().nIn(5).nOut(3).inputLength(4).build(),
            new Convolution1DLayer.Builder(2).nOut(2).build(),
            new GlobalPoolingLayer(PoolingType.MAX)),
        Nd4j.createFromArray(new float[][] {{1, 2, 0, 4}, {0, 0, 3, 1}}));
  }

  @Test
  void lengthOfSequencesIsLeftOpen() {
    NetworkImage image =
        checkLayer(
            SEQUENCE,
            new LSTM.Builder().nOut(4).build(),
            new RnnOutputLayer.Builder().nOut(3).activation(Activation.SOFTMAX).build());
    assertEquals(Shape.of(5, -1), image.graph().shape("input"));
    assertEquals(Shape.of(4, -1), image.graph().shape("layer0"));
    assertEquals(Shape.of(3, -1), image.graph().shape("layer1"));
  }

  @Test
  void manyThreadsGetWhatOneGets() throws Exception {
    NetworkGraph graph =
        checkLayer(
                SEQUENCE,
                new LSTM.Builder().nOut(4).build(),
                new LastTimeStep(new SimpleRnn.Builder().nOut(3).build()))
            .graph();
    List<Tensor> inputs =
        IntStream.range(0, 10).mapToObj(i -> Tensors.of(random(i, 2, 5, 3 + i % 4))).toList();
    FloatNetwork network = FloatNetwork.of(graph);
    List<Tensor> alone = inputs.stream().map(network::output).toList();
    ExecutorService threads = Executors.newFixedThreadPool(4);
    try {
      List<Callable<Tensor>> calls =
          inputs.stream().<Callable<Tensor>>map(input -> () -> network.output(input)).toList();
      List<Future<Tensor>> together = threads.invokeAll(calls);
      for (int i = 0; i < inputs.size(); i++) {
        assertArrayEquals(alone.get(i).values(), together.get(i).get().values());
      }
    } finally {
      threads.shutdownNow();
    }
    assertTrue(threads.isShutdown());
  }
}
