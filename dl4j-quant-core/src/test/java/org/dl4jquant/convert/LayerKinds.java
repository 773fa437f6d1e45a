package org.dl4jquant.convert;

import java.util.LinkedHashMap;
import java.util.Map;
import org.deeplearning4j.nn.conf.InputPreProcessor;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.AutoEncoder;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
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
import org.deeplearning4j.nn.conf.layers.GravesBidirectionalLSTM;
import org.deeplearning4j.nn.conf.layers.GravesLSTM;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.LearnedSelfAttentionLayer;
import org.deeplearning4j.nn.conf.layers.LocallyConnected1D;
import org.deeplearning4j.nn.conf.layers.LocallyConnected2D;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.RecurrentAttentionLayer;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.conf.layers.SelfAttentionLayer;
import org.deeplearning4j.nn.conf.layers.SeparableConvolution2D;
import org.deeplearning4j.nn.conf.layers.misc.ElementWiseMultiplicationLayer;
import org.deeplearning4j.nn.conf.layers.misc.FrozenLayer;
import org.deeplearning4j.nn.conf.layers.recurrent.Bidirectional;
import org.deeplearning4j.nn.conf.layers.recurrent.LastTimeStep;
import org.deeplearning4j.nn.conf.layers.recurrent.SimpleRnn;
import org.deeplearning4j.nn.conf.layers.recurrent.TimeDistributed;
import org.deeplearning4j.nn.conf.layers.util.MaskZeroLayer;
import org.deeplearning4j.nn.conf.layers.variational.VariationalAutoencoder;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.nd4j.linalg.activations.Activation;

/** One small layer of every kind with parameters, alone in a network. */
@SuppressWarnings("deprecation") // users still have networks of the old kinds
final class LayerKinds {
  private static final InputType VECTOR = InputType.feedForward(5);
  private static final InputType SEQUENCE = InputType.recurrent(5, 6);
  private static final InputType IMAGE = InputType.convolutional(7, 6, 3);
  private static final InputType VOLUME = InputType.convolutional3D(6, 5, 6, 2);

  private LayerKinds() {}

  record Kind(Layer layer, InputType input) {}

  static Map<String, Kind> all() {
    Map<String, Kind> kinds = new LinkedHashMap<>();
    put(kinds, new DenseLayer.Builder().nOut(4).build(), VECTOR);
    put(kinds, new OutputLayer.Builder().nOut(4).activation(Activation.SOFTMAX).build(), VECTOR);
    put(kinds, new CenterLossOutputLayer.Builder().nOut(4).build(), VECTOR);
    put(kinds, new AutoEncoder.Builder().nOut(4).build(), VECTOR);
    put(
        kinds,
        new VariationalAutoencoder.Builder()
            .encoderLayerSizes(6)
            .decoderLayerSizes(6)
            .nOut(3)
            .build(),
        VECTOR);
    put(kinds, new ElementWiseMultiplicationLayer.Builder().nIn(5).nOut(5).build(), VECTOR);
    put(kinds, new EmbeddingLayer.Builder().nIn(5).nOut(4).build(), InputType.feedForward(1));
    put(
        kinds,
        new EmbeddingSequenceLayer.Builder().nIn(5).nOut(4).inputLength(6).build(),
        SEQUENCE);
    put(
        kinds,
        new RnnOutputLayer.Builder().nOut(4).activation(Activation.SOFTMAX).build(),
        SEQUENCE);
    put(kinds, new LSTM.Builder().nOut(4).build(), SEQUENCE);
    put(kinds, new GravesLSTM.Builder().nOut(4).build(), SEQUENCE);
    put(kinds, new GravesBidirectionalLSTM.Builder().nOut(4).build(), SEQUENCE);
    put(kinds, new SimpleRnn.Builder().nOut(4).build(), SEQUENCE);
    put(kinds, new Bidirectional(new LSTM.Builder().nOut(4).build()), SEQUENCE);
    put(kinds, new LastTimeStep(new SimpleRnn.Builder().nOut(4).build()), SEQUENCE);
    put(kinds, new MaskZeroLayer(new LSTM.Builder().nOut(4).build(), 0.0), SEQUENCE);
    put(kinds, new TimeDistributed(new DenseLayer.Builder().nOut(4).build()), SEQUENCE);
    put(
        kinds,
        new SelfAttentionLayer.Builder().nOut(4).nHeads(2).projectInput(true).build(),
        SEQUENCE);
    put(
        kinds,
        new LearnedSelfAttentionLayer.Builder()
            .nOut(4)
            .nHeads(2)
            .nQueries(2)
            .projectInput(true)
            .build(),
        SEQUENCE);
    put(
        kinds,
        new RecurrentAttentionLayer.Builder().nIn(5).nOut(4).nHeads(1).projectInput(true).build(),
        SEQUENCE);
    put(kinds, new Convolution1DLayer.Builder(3).nOut(4).build(), SEQUENCE);
    put(kinds, new LocallyConnected1D.Builder().kernelSize(2).nOut(4).build(), SEQUENCE);
    put(kinds, new ConvolutionLayer.Builder(3, 2).nOut(4).build(), IMAGE);
    put(kinds, new DepthwiseConvolution2D.Builder(3, 2).depthMultiplier(2).build(), IMAGE);
    put(kinds, new SeparableConvolution2D.Builder(3, 2).depthMultiplier(2).nOut(4).build(), IMAGE);
    put(kinds, new Deconvolution2D.Builder(3, 2).nOut(4).build(), IMAGE);
    put(kinds, new LocallyConnected2D.Builder().kernelSize(2, 2).nOut(4).build(), IMAGE);
    put(kinds, new BatchNormalization.Builder().build(), IMAGE);
    put(kinds, new Convolution3D.Builder(2, 2, 2).nOut(4).build(), VOLUME);
    put(kinds, new Deconvolution3D.Builder().kernelSize(2, 2, 2).nOut(4).build(), VOLUME);
    put(kinds, new FrozenLayer(new DenseLayer.Builder().nOut(4).build()), VECTOR);
    return kinds;
  }

  private static void put(Map<String, Kind> kinds, Layer layer, InputType input) {
    kinds.put(layer.getClass().getSimpleName(), new Kind(layer, input));
  }

  static MultiLayerNetwork layers(Kind kind, long seed) {
    MultiLayerNetwork network =
        new MultiLayerNetwork(
            new NeuralNetConfiguration.Builder()
                .seed(seed)
                .list()
                .layer(kind.layer().clone())
                .setInputType(kind.input())
                .build());
    network.init();
    return network;
  }

  static ComputationGraph graph(Kind kind, long seed) {
    Layer layer = kind.layer().clone();
    InputPreProcessor none = layer.getPreProcessorForInputType(kind.input());
    ComputationGraph network =
        new ComputationGraph(
            new NeuralNetConfiguration.Builder()
                .seed(seed)
                .graphBuilder()
                .addInputs("in")
                .addLayer("only", layer, none, "in")
                .setOutputs("only")
                .setInputTypes(kind.input())
                .build());
    network.init();
    return network;
  }
}
