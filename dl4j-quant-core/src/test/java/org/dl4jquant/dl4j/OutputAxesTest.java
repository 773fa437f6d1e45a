package org.dl4jquant.dl4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;

import java.util.Map;
import java.util.TreeMap;
import org.deeplearning4j.nn.conf.CNN2DFormat;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.RNNFormat;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.AutoEncoder;
import org.deeplearning4j.nn.conf.layers.CapsuleLayer;
import org.deeplearning4j.nn.conf.layers.CenterLossOutputLayer;
import org.deeplearning4j.nn.conf.layers.Convolution1DLayer;
import org.deeplearning4j.nn.conf.layers.Convolution3D;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.Deconvolution2D;
import org.deeplearning4j.nn.conf.layers.Deconvolution3D;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.DepthwiseConvolution2D;
import org.deeplearning4j.nn.conf.layers.EmbeddingLayer;
import org.deeplearning4j.nn.conf.layers.EmbeddingSequenceLayer;
import org.deeplearning4j.nn.conf.layers.GravesLSTM;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.LocallyConnected1D;
import org.deeplearning4j.nn.conf.layers.LocallyConnected2D;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.conf.layers.SelfAttentionLayer;
import org.deeplearning4j.nn.conf.layers.SeparableConvolution2D;
import org.deeplearning4j.nn.conf.layers.recurrent.Bidirectional;
import org.deeplearning4j.nn.conf.layers.recurrent.SimpleRnn;
import org.deeplearning4j.nn.conf.layers.recurrent.TimeDistributed;
import org.deeplearning4j.nn.conf.layers.variational.VariationalAutoencoder;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * The table of axes against DL4J itself: the weights of one channel are changed, and exactly one
 * feature of the layer's output may move. Every feature has as many channels as every other.
 */
@SuppressWarnings("deprecation") // users still have networks of the old kinds
final class OutputAxesTest {
  private static final InputType VECTOR = InputType.feedForward(5);
  private static final InputType IMAGE = InputType.convolutional(7, 6, 3);
  private static final InputType IMAGE_LAST = InputType.convolutional(7, 6, 3, CNN2DFormat.NHWC);
  private static final InputType VOLUME = InputType.convolutional3D(5, 4, 6, 2);
  private static final Activation LINEAR = Activation.IDENTITY;

  @Test
  void feedForwardLayersHaveColumns() {
    INDArray x = random(3, 5);
    Layer output = new OutputLayer.Builder().nOut(4).activation(LINEAR).build();
    oneFeatureMoves(new DenseLayer.Builder().nOut(4).activation(LINEAR).build(), VECTOR, x, "W", 1);
    oneFeatureMoves(output, VECTOR, x, "W", 1);
    oneFeatureMoves(
        new CenterLossOutputLayer.Builder().nOut(4).activation(LINEAR).build(), VECTOR, x, "W", 1);
    oneFeatureMoves(
        new AutoEncoder.Builder().nOut(4).activation(LINEAR).build(), VECTOR, x, "W", 1);
    oneFeatureMoves(
        new VariationalAutoencoder.Builder()
            .encoderLayerSizes(6)
            .decoderLayerSizes(3)
            .nOut(4)
            .activation(Activation.TANH)
            .build(),
        VECTOR,
        x,
        "pZXMeanW",
        1);
  }

  @Test
  void embeddingsHaveColumns() {
    INDArray one = Nd4j.createFromArray(new float[][] {{0}, {3}, {4}});
    INDArray two = Nd4j.createFromArray(new float[][] {{0, 1}, {3, 3}});
    Layer single = new EmbeddingLayer.Builder().nIn(5).nOut(4).activation(LINEAR).build();
    Layer sequence = new EmbeddingSequenceLayer.Builder().nIn(5).nOut(4).inputLength(2).build();
    oneFeatureMoves(network(single, null), one, "W", 1);
    oneFeatureMoves(network(sequence, null), two, "W", 1);
  }

  @Test
  void recurrentLayersHaveAColumnPerGateAndUnit() {
    INDArray twice = random(2, 5, 2);
    InputType sequence = InputType.recurrent(5);
    for (Layer layer :
        new Layer[] {
          new LSTM.Builder().nOut(4).build(),
          new GravesLSTM.Builder().nOut(4).build(),
          new SimpleRnn.Builder().nOut(4).build()
        }) {
      MultiLayerNetwork unmixed = network(layer, sequence);
      unmixed.getParam("0_RW").assign(0); // else a unit reaches the others in the second step
      oneFeatureMoves(unmixed, twice, "W", 1);
      oneFeatureMoves(layer, sequence, twice, "RW", 1);
    }
    Layer both = new Bidirectional(new LSTM.Builder().nOut(4).build());
    MultiLayerNetwork unmixed = network(both, sequence);
    unmixed.getParam("0_fRW").assign(0);
    oneFeatureMoves(unmixed, twice, "fW", 1);
    oneFeatureMoves(both, sequence, twice, "bRW", 1);
    oneFeatureMoves(
        new TimeDistributed(new DenseLayer.Builder().nOut(4).build()), sequence, twice, "W", 1);
    oneFeatureMoves(
        new RnnOutputLayer.Builder().nOut(4).activation(LINEAR).build(), sequence, twice, "W", 1);
  }

  @Test
  void convolutionsHaveTheirOwnAxes() {
    INDArray x = random(2, 3, 7, 6);
    INDArray volumes = random(2, 2, 5, 4, 6);
    oneFeatureMoves(new ConvolutionLayer.Builder(3, 2).nOut(4).build(), IMAGE, x, "W", 1);
    oneFeatureMoves(new Deconvolution2D.Builder(3, 2).nOut(4).build(), IMAGE, x, "W", 1);
    oneFeatureMoves(
        new DepthwiseConvolution2D.Builder(3, 2).depthMultiplier(2).nOut(6).build(),
        IMAGE,
        x,
        "W",
        1);
    oneFeatureMoves(
        new SeparableConvolution2D.Builder(3, 2).depthMultiplier(2).nOut(4).build(),
        IMAGE,
        x,
        "pW",
        1);
    oneFeatureMoves(
        new LocallyConnected2D.Builder().kernelSize(3, 2).nOut(4).build(), IMAGE, x, "W", 1);
    oneFeatureMoves(new Convolution3D.Builder(2, 3, 2).nOut(4).build(), VOLUME, volumes, "W", 1);
    oneFeatureMoves(
        new Deconvolution3D.Builder().kernelSize(2, 3, 2).nOut(4).build(), VOLUME, volumes, "W", 1);
    oneFeatureMoves(
        new Convolution1DLayer.Builder(3).nOut(4).build(),
        InputType.recurrent(5, 7),
        random(2, 5, 7),
        "W",
        1);
    oneFeatureMoves(
        new Convolution1DLayer.Builder(3).nOut(4).rnnDataFormat(RNNFormat.NWC).build(),
        InputType.recurrent(5, 7, RNNFormat.NWC),
        random(2, 7, 5),
        "W",
        2);
    oneFeatureMoves(
        new LocallyConnected1D.Builder().kernelSize(3).nOut(4).build(),
        InputType.recurrent(5, 7),
        random(2, 5, 7),
        "W",
        1);
  }

  @Test
  void convolutionsOfChannelsLastDataHaveTheSameAxes() {
    INDArray x = random(2, 7, 6, 3);
    CNN2DFormat last = CNN2DFormat.NHWC;
    oneFeatureMoves(
        new ConvolutionLayer.Builder(3, 2).dataFormat(last).nOut(4).build(), IMAGE_LAST, x, "W", 3);
    oneFeatureMoves(
        new Deconvolution2D.Builder(3, 2).dataFormat(last).nOut(4).build(), IMAGE_LAST, x, "W", 3);
    oneFeatureMoves(
        new DepthwiseConvolution2D.Builder(3, 2)
            .depthMultiplier(2)
            .dataFormat(last)
            .nOut(6)
            .build(),
        IMAGE_LAST,
        x,
        "W",
        3);
  }

  @Test
  void theDepthwiseHalfOfASeparableConvolutionHasAChannelPerKernel() {
    Layer layer = new SeparableConvolution2D.Builder(3, 2).depthMultiplier(2).nOut(6).build();
    MultiLayerNetwork network = network(layer, IMAGE);
    network.getParam("0_pW").assign(Nd4j.eye(6).reshape(6, 6, 1, 1));
    oneFeatureMoves(network, random(2, 3, 7, 6), "W", 1);
  }

  @Test
  void theValuesOfAttentionHaveAChannelPerHeadAndPlace() {
    Layer layer =
        new SelfAttentionLayer.Builder().nOut(6).nHeads(2).headSize(3).projectInput(true).build();
    MultiLayerNetwork network = network(layer, InputType.recurrent(5, 4));
    network.getParam("0_Wo").assign(Nd4j.eye(6));
    oneFeatureMoves(network, random(2, 5, 4), "Wv", 1);
    oneFeatureMoves(network(layer, InputType.recurrent(5, 4)), random(2, 5, 4), "Wo", 1);
  }

  @Test
  void capsulesHaveAChannelPerCapsuleAndDimension() {
    oneFeatureMoves(
        new CapsuleLayer.Builder(3, 4, 1).build(),
        InputType.recurrent(4, 5),
        random(2, 4, 5),
        "weight",
        1);
  }

  private static void oneFeatureMoves(
      Layer layer, InputType type, INDArray input, String key, int featureAxis) {
    oneFeatureMoves(network(layer, type), input, key, featureAxis);
  }

  private static void oneFeatureMoves(
      MultiLayerNetwork network, INDArray input, String key, int featureAxis) {
    INDArray before = output(network, input);
    Dl4jParameter parameter = parameter(network, key);
    INDArray original = parameter.value().dup();
    int[] shape = parameter.tensor().shape();
    int[] channelOf = parameter.layout().granularity().channelOfEach(shape);
    int channels = parameter.layout().granularity().channels(shape);
    String what = parameter.name() + " of " + network.getLayer(0).getClass().getSimpleName();
    Map<Integer, Integer> channelsOfFeature = new TreeMap<>();
    int units = network.getLayer(0).conf().getLayer() instanceof GravesLSTM ? 16 : channels;
    for (int channel = 0; channel < Math.min(channels, units); channel++) {
      INDArray values = original.dup('c').reshape(channelOf.length);
      for (int i = 0; i < channelOf.length; i++) {
        if (channelOf[i] == channel) {
          values.putScalar(i, values.getFloat(i) + 1);
        }
      }
      parameter.value().assign(values.reshape(original.shape()));
      int moved = onlyMoved(before, output(network, input), featureAxis, what + " " + channel);
      channelsOfFeature.merge(moved, 1, Integer::sum);
    }
    assertEquals(
        1, channelsOfFeature.values().stream().distinct().count(), what + channelsOfFeature);
  }

  private static int onlyMoved(INDArray before, INDArray after, int axis, String what) {
    Integer moved = null;
    for (int feature = 0; feature < before.size(axis); feature++) {
      INDArray difference = before.slice(feature, axis).dup().sub(after.slice(feature, axis).dup());
      if (difference.amaxNumber().floatValue() > 1e-6f) {
        assertEquals(null, moved, what + " moves a second feature, " + feature);
        moved = feature;
      }
    }
    assertNotNull(moved, what + " moves nothing");
    return moved;
  }

  private static INDArray output(MultiLayerNetwork network, INDArray input) {
    network.rnnClearPreviousState();
    return network.output(input).dup();
  }

  private static Dl4jParameter parameter(MultiLayerNetwork network, String key) {
    return Dl4jNetwork.of(network).layers().get(0).parameters().stream()
        .filter(candidate -> candidate.key().equals(key))
        .findFirst()
        .orElseThrow();
  }

  private static MultiLayerNetwork network(Layer layer, @Nullable InputType type) {
    MultiLayerNetwork network =
        new MultiLayerNetwork(
            new NeuralNetConfiguration.Builder()
                .seed(11)
                .activation(LINEAR)
                .list()
                .layer(layer.clone())
                .setInputType(type)
                .validateOutputLayerConfig(false)
                .build());
    network.init();
    return network;
  }

  private static INDArray random(long... shape) {
    Nd4j.getRandom().setSeed(7);
    return Nd4j.rand(DataType.FLOAT, shape);
  }
}
