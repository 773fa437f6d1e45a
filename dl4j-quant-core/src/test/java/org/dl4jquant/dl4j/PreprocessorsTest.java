package org.dl4jquant.dl4j;

import static org.dl4jquant.dl4j.GraphComparison.check;
import static org.dl4jquant.dl4j.GraphComparison.random;
import static org.dl4jquant.dl4j.GraphComparison.shuffled;
import static org.junit.jupiter.api.Assertions.assertEquals;

import com.google.common.collect.ImmutableMap;
import com.google.common.collect.ImmutableSet;
import java.util.Objects;
import org.deeplearning4j.nn.api.MaskState;
import org.deeplearning4j.nn.conf.InputPreProcessor;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.RNNFormat;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.deeplearning4j.nn.conf.preprocessor.BaseInputPreProcessor;
import org.deeplearning4j.nn.conf.preprocessor.CnnToFeedForwardPreProcessor;
import org.deeplearning4j.nn.conf.preprocessor.CnnToRnnPreProcessor;
import org.deeplearning4j.nn.conf.preprocessor.ComposableInputPreProcessor;
import org.deeplearning4j.nn.conf.preprocessor.FeedForwardToCnnPreProcessor;
import org.deeplearning4j.nn.conf.preprocessor.FeedForwardToRnnPreProcessor;
import org.deeplearning4j.nn.conf.preprocessor.RnnToCnnPreProcessor;
import org.deeplearning4j.nn.conf.preprocessor.RnnToFeedForwardPreProcessor;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.dl4jquant.graph.Shape;
import org.junit.jupiter.api.Test;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;

class PreprocessorsTest {
  /** A network in which {@code preprocessor} stands before layer {@code at}. */
  private static MultiLayerNetwork network(
      int at, InputPreProcessor preprocessor, Layer... layers) {
    NeuralNetConfiguration.ListBuilder list =
        new NeuralNetConfiguration.Builder().seed(5).activation(Activation.TANH).list();
    for (Layer layer : layers) {
      list.layer(layer);
    }
    list.inputPreProcessor(at, preprocessor).validateOutputLayerConfig(false);
    MultiLayerNetwork network = new MultiLayerNetwork(list.build());
    network.init();
    return shuffled(network, 9);
  }

  private static DenseLayer dense(int in, int out) {
    return new DenseLayer.Builder().nIn(in).nOut(out).build();
  }

  private static void assertInteger(NetworkImage image) {
    assertEquals(ImmutableMap.of(), image.floatReasons());
  }

  @Test
  void rowsAndImages() {
    assertInteger(
        check(
            network(
                1,
                new FeedForwardToCnnPreProcessor(3, 2, 2),
                dense(5, 12),
                new ConvolutionLayer.Builder(2, 2).nIn(2).nOut(3).build()),
            random(1, 3, 5)));
  }

  @Test
  void stepsOfSequencesAsRows() {
    for (RNNFormat format : RNNFormat.values()) {
      long[] shape = format == RNNFormat.NCW ? new long[] {3, 4, 6} : new long[] {3, 6, 4};
      assertInteger(
          check(
              network(0, new RnnToFeedForwardPreProcessor(format), dense(4, 3)), random(1, shape)));
      MultiLayerNetwork back =
          network(
              1,
              new FeedForwardToRnnPreProcessor(format),
              dense(4, 3),
              new LSTM.Builder().dataFormat(format).nIn(3).nOut(2).build());
      back.getLayerWiseConfigurations()
          .getInputPreProcessors()
          .put(0, new RnnToFeedForwardPreProcessor(format));
      check(back, random(1, shape));
    }
  }

  @Test
  void rowsAsSequencesOfOneStep() {
    check(
        network(
            1,
            new FeedForwardToRnnPreProcessor(),
            dense(4, 3),
            new LSTM.Builder().nIn(3).nOut(2).build()),
        random(1, 3, 4));
  }

  @Test
  void imagesOfEachStep() {
    NeuralNetConfiguration.ListBuilder list =
        new NeuralNetConfiguration.Builder()
            .seed(5)
            .list()
            .layer(new ConvolutionLayer.Builder(2, 2).nIn(2).nOut(3).build())
            .layer(new SubsamplingLayer.Builder().kernelSize(2, 1).stride(1, 1).build())
            .layer(new LSTM.Builder().nIn(3 * 2 * 2).nOut(4).build())
            .layer(dense(4, 5))
            .layer(
                new RnnOutputLayer.Builder().nIn(5).nOut(2).activation(Activation.SOFTMAX).build());
    list.inputPreProcessor(0, new RnnToCnnPreProcessor(4, 3, 2))
        .inputPreProcessor(2, new CnnToRnnPreProcessor(2, 2, 3))
        .inputPreProcessor(3, new RnnToFeedForwardPreProcessor())
        .inputPreProcessor(4, new FeedForwardToRnnPreProcessor());
    MultiLayerNetwork network = new MultiLayerNetwork(list.build());
    network.init();
    NetworkImage image = check(shuffled(network, 4), random(1, 3, 24, 5));
    assertEquals(ImmutableSet.of("layer0", "layer1", "layer2"), image.floatReasons().keySet());
    assertEquals(LayerMapping.PER_STEP, image.floatReasons().get("layer0"));
  }

  @Test
  void severalInARow() {
    InputPreProcessor both =
        new ComposableInputPreProcessor(
            new CnnToFeedForwardPreProcessor(3, 2, 2), new FeedForwardToCnnPreProcessor(2, 3, 2));
    assertInteger(
        check(
            network(0, both, new ConvolutionLayer.Builder(2, 2).nIn(2).nOut(3).build()),
            random(1, 3, 2, 3, 2)));
  }

  @Test
  void unknownMovementsAreRecognized() {
    MultiLayerNetwork network =
        network(
            1,
            new Turning(false),
            new ConvolutionLayer.Builder(2, 2).nIn(2).nOut(3).build(),
            dense(3 * 3 * 4, 2));
    Dl4jNetwork dl4j = Dl4jNetwork.of(network);
    NetworkImage known = GraphReader.read(dl4j, ImmutableMap.of("input", Shape.of(2, 4, 5)));
    GraphComparison.checkGraph(known, dl4j, random(1, 3, 2, 4, 5));
    assertInteger(known);
    NetworkImage unknown = check(network, random(1, 3, 2, 4, 5));
    assertEquals(ImmutableSet.of("layer1"), unknown.floatReasons().keySet());
  }

  @Test
  void unknownArithmeticStaysFloat() {
    MultiLayerNetwork network =
        network(
            1,
            new Turning(true),
            new ConvolutionLayer.Builder(2, 2).nIn(2).nOut(3).build(),
            dense(3 * 3 * 4, 2));
    Dl4jNetwork dl4j = Dl4jNetwork.of(network);
    NetworkImage image = GraphReader.read(dl4j, ImmutableMap.of("input", Shape.of(2, 4, 5)));
    GraphComparison.checkGraph(image, dl4j, random(1, 3, 2, 4, 5));
    assertEquals(ImmutableSet.of("layer1"), image.floatReasons().keySet());
  }

  /** Flattens with the channels last, and doubles if told to. */
  static final class Turning extends BaseInputPreProcessor {
    private static final long serialVersionUID = 1;

    private final boolean doubles;

    Turning(boolean doubles) {
      this.doubles = doubles;
    }

    @Override
    public INDArray preProcess(INDArray input, int batch, LayerWorkspaceMgr workspaces) {
      INDArray rows = input.permute(0, 2, 3, 1).dup('c').reshape(input.size(0), -1);
      return doubles ? rows.mul(2) : rows;
    }

    @Override
    public INDArray backprop(INDArray output, int batch, LayerWorkspaceMgr workspaces) {
      throw new UnsupportedOperationException();
    }

    @Override
    public InputType getOutputType(InputType input) {
      return InputType.feedForward(input.arrayElementsPerExample());
    }

    @Override
    public Pair<INDArray, MaskState> feedForwardMaskArray(
        INDArray mask, MaskState state, int batch) {
      return Objects.requireNonNull(Pair.of(mask, state));
    }
  }
}
