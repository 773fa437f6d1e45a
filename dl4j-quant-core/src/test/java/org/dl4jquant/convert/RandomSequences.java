package org.dl4jquant.convert;

import java.util.Random;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex;
import org.deeplearning4j.nn.conf.graph.MergeVertex;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.inputs.InputType.InputTypeRecurrent;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.Convolution1DLayer;
import org.deeplearning4j.nn.conf.layers.DropoutLayer;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.conf.layers.Subsampling1DLayer;
import org.deeplearning4j.nn.conf.layers.Upsampling1D;
import org.deeplearning4j.nn.conf.layers.ZeroPadding1DLayer;
import org.deeplearning4j.nn.conf.layers.convolutional.Cropping1D;
import org.deeplearning4j.nn.conf.layers.recurrent.Bidirectional;
import org.deeplearning4j.nn.conf.layers.recurrent.LastTimeStep;
import org.deeplearning4j.nn.conf.layers.recurrent.SimpleRnn;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.dl4j.Dl4jNetwork;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.lossfunctions.LossFunctions;

/**
 * Small networks of doubles over sequences, with random layers and parameters. Batch normalization
 * is not among them: DL4J takes the examples of a sequence for its channels.
 */
public final class RandomSequences {
  /** Steps of a sequence. */
  public static final int STEPS = 9;

  private static final Activation[] ACTIVATIONS = {
    Activation.RELU, Activation.IDENTITY, Activation.LEAKYRELU, Activation.TANH, Activation.SIGMOID
  };
  private static final ConvolutionMode[] MODES = {
    ConvolutionMode.Same, ConvolutionMode.Truncate, ConvolutionMode.Strict, ConvolutionMode.Causal
  };

  private final Random random;
  private final boolean recurrent;

  /**
   * Draws networks.
   *
   * @param recurrent whether recurrent layers, whose computation stays float, are among them
   */
  public RandomSequences(long seed, boolean recurrent) {
    this.random = new Random(seed);
    this.recurrent = recurrent;
  }

  private int upTo(int most) {
    return 1 + random.nextInt(most);
  }

  private Activation activation() {
    return ACTIVATIONS[random.nextInt(ACTIVATIONS.length)];
  }

  public InputType input() {
    return InputType.recurrent(upTo(4), STEPS);
  }

  private Layer layer(InputType type) {
    while (true) {
      Layer layer = anything();
      if (stepsAfter(layer, type) > 0) {
        return layer;
      }
    }
  }

  private static long stepsAfter(Layer layer, InputType type) {
    try {
      long steps = ((InputTypeRecurrent) after(layer, type)).getTimeSeriesLength();
      return steps <= 4 * STEPS ? steps : 0;
    } catch (RuntimeException e) {
      return 0; // DL4J refuses it
    }
  }

  private static InputType after(Layer layer, InputType type) {
    Layer copy = layer.clone();
    copy.setNIn(type, true);
    return copy.getOutputType(0, type);
  }

  private Layer anything() {
    return switch (random.nextInt(recurrent ? 12 : 9)) {
      case 0, 1, 2 -> convolution(MODES[random.nextInt(MODES.length)]);
      case 3 ->
          new Subsampling1DLayer.Builder(random.nextBoolean() ? PoolingType.MAX : PoolingType.AVG)
              .kernelSize(upTo(3))
              .stride(upTo(2))
              .convolutionMode(MODES[random.nextInt(3)])
              .build();
      case 4, 5 -> new ActivationLayer(activation());
      case 6 -> new DropoutLayer.Builder(0.5).build();
      case 7 -> new Upsampling1D.Builder(2).build();
      case 8 ->
          random.nextBoolean()
              ? new ZeroPadding1DLayer.Builder(upTo(2), random.nextInt(2)).build()
              : new Cropping1D(random.nextInt(2), random.nextInt(2));
      case 9 -> new LSTM.Builder().nOut(upTo(4)).activation(Activation.TANH).build();
      case 10 -> new SimpleRnn.Builder().nOut(upTo(4)).activation(Activation.TANH).build();
      default ->
          new Bidirectional(
              Bidirectional.Mode.CONCAT,
              new LSTM.Builder().nOut(upTo(3)).activation(Activation.TANH).build());
    };
  }

  /** DL4J runs windows that exceed the sequence by up to a stride; they are left out here. */
  private Layer convolution(ConvolutionMode mode) {
    boolean whole = mode == ConvolutionMode.Same || mode == ConvolutionMode.Causal;
    int kernel = upTo(3);
    int dilation = upTo(2);
    return new Convolution1DLayer.Builder(kernel)
        .nOut(upTo(5))
        .stride(whole || kernel == 1 ? upTo(2) : 1)
        .dilation(dilation)
        .padding(whole ? 0 : random.nextInt(2))
        .convolutionMode(mode)
        .hasBias(random.nextInt(4) != 0)
        .activation(activation())
        .build();
  }

  private Layer[] head() {
    boolean softmax = random.nextBoolean();
    Activation last = softmax ? Activation.SOFTMAX : activation();
    LossFunctions.LossFunction loss =
        softmax ? LossFunctions.LossFunction.MCXENT : LossFunctions.LossFunction.MSE;
    int kind = random.nextInt(recurrent ? 3 : 2);
    if (kind == 0) {
      return new Layer[] {new RnnOutputLayer.Builder(loss).nOut(3).activation(last).build()};
    }
    Layer end =
        kind == 1
            ? new GlobalPoolingLayer(random.nextBoolean() ? PoolingType.AVG : PoolingType.MAX)
            : new LastTimeStep(new LSTM.Builder().nOut(upTo(4)).build());
    return new Layer[] {end, new OutputLayer.Builder(loss).nOut(3).activation(last).build()};
  }

  /** Returns a network of one layer after the other. */
  public MultiLayerNetwork layers(InputType input) {
    return RandomNetworks.running(input, () -> drawLayers(input));
  }

  private MultiLayerNetwork drawLayers(InputType input) {
    NeuralNetConfiguration.ListBuilder list = base().list();
    InputType type = input;
    for (int i = upTo(4); i > 0; i--) {
      Layer layer = layer(type);
      type = after(layer, type);
      list.layer(layer);
    }
    for (Layer layer : head()) {
      list.layer(layer);
    }
    MultiLayerNetwork network = new MultiLayerNetwork(list.setInputType(input).build());
    network.init();
    return shaken(network);
  }

  /** Returns a network with branches that are added or joined. */
  public ComputationGraph graph(InputType input) {
    return RandomNetworks.running(input, () -> drawGraph(input));
  }

  private ComputationGraph drawGraph(InputType input) {
    ComputationGraphConfiguration.GraphBuilder builder =
        base().graphBuilder().addInputs("in").setInputTypes(input);
    String last = "in";
    for (int b = 0; b < upTo(2); b++) {
      int channels = upTo(4);
      int stride = upTo(2);
      String[] branches = {"left" + b, "right" + b};
      for (String branch : branches) {
        ConvolutionMode mode = random.nextBoolean() ? ConvolutionMode.Same : ConvolutionMode.Causal;
        builder.addLayer(
            branch,
            new Convolution1DLayer.Builder(upTo(3))
                .nOut(channels)
                .stride(stride)
                .dilation(upTo(2))
                .convolutionMode(mode)
                .activation(activation())
                .build(),
            last);
      }
      last = "block" + b;
      builder.addVertex(
          last,
          random.nextBoolean()
              ? new ElementWiseVertex(ElementWiseVertex.Op.Add)
              : new MergeVertex(),
          branches);
    }
    int i = 0;
    for (Layer layer : head()) {
      builder.addLayer("head" + i, layer, last);
      last = "head" + i++;
    }
    ComputationGraph network = new ComputationGraph(builder.setOutputs(last).build());
    network.init();
    return shaken(network);
  }

  private static NeuralNetConfiguration.Builder base() {
    return new NeuralNetConfiguration.Builder()
        .dataType(DataType.DOUBLE)
        .activation(Activation.IDENTITY);
  }

  private <M extends Model> M shaken(M network) {
    RandomNetworks.shake(Dl4jNetwork.of(network), random);
    return network;
  }
}
