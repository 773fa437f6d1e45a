package org.dl4jquant.examples;

import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration.ListBuilder;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.DepthwiseConvolution2D;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.deeplearning4j.nn.conf.layers.recurrent.LastTimeStep;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.weights.WeightInit;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/**
 * The networks that the examples, the studies and the benchmarks use, initialized but untrained.
 *
 * <p>Each takes the size of a square gray image, the number of classes and a seed.
 */
public final class Networks {
  private static final double LEARNING_RATE = 1e-3;

  private Networks() {}

  /** Two convolutions with max pooling and two dense layers; LeNet's form at a fitting size. */
  public static MultiLayerNetwork plainCnn(int size, int classes, long seed) {
    return init(
        base(seed)
            .list()
            .layer(named("conv1", convolution(16, 3)))
            .layer(named("conv2", convolution(32, 3)))
            .layer(maxPooling("pool1"))
            .layer(named("conv3", convolution(32, 3)))
            .layer(maxPooling("pool2"))
            .layer(named("dense", new DenseLayer.Builder().nOut(64).activation(Activation.RELU)))
            .layer(output(classes)),
        size);
  }

  /** LeNet as published for 28×28 images: 431,080 parameters at ten classes. */
  public static MultiLayerNetwork leNet(int size, int classes, long seed) {
    return init(
        base(seed)
            .list()
            .layer(named("conv1", new ConvolutionLayer.Builder(5, 5).nOut(20)))
            .layer(maxPooling("pool1"))
            .layer(named("conv2", new ConvolutionLayer.Builder(5, 5).nOut(50)))
            .layer(maxPooling("pool2"))
            .layer(named("dense", new DenseLayer.Builder().nOut(500).activation(Activation.RELU)))
            .layer(output(classes)),
        size);
  }

  /** Convolutions without bias, each followed by batch norm and a separate ReLU. */
  public static MultiLayerNetwork batchNormCnn(int size, int classes, long seed) {
    ListBuilder layers = base(seed).list();
    int[] channels = {16, 32, 64};
    for (int i = 0; i < channels.length; i++) {
      layers
          .layer(named("conv" + i, convolution(channels[i], 3).hasBias(false)))
          .layer(new BatchNormalization.Builder().name("norm" + i).build())
          .layer(
              new ActivationLayer.Builder().name("relu" + i).activation(Activation.RELU).build());
      if (i < channels.length - 1) {
        layers.layer(maxPooling("pool" + i));
      }
    }
    return init(
        layers
            .layer(new GlobalPoolingLayer.Builder(PoolingType.AVG).name("average").build())
            .layer(output(classes)),
        size);
  }

  /** Eight convolutions of 3×3, with max pooling after the second and the fourth. */
  public static MultiLayerNetwork deepCnn(int size, int classes, long seed) {
    ListBuilder layers = base(seed).list();
    int[] channels = {8, 16, 16, 24, 24, 32, 32, 48};
    for (int i = 0; i < channels.length; i++) {
      layers.layer(named("conv" + (i + 1), convolution(channels[i], 3)));
      if (i == 1 || i == 3) {
        layers.layer(maxPooling("pool" + (i + 1)));
      }
    }
    return init(layers.layer(output(classes)), size);
  }

  /** A residual graph of depthwise-separable blocks with batch norm. */
  public static ComputationGraph residual(int size, int classes, long seed) {
    ComputationGraphConfiguration.GraphBuilder graph =
        base(seed)
            .graphBuilder()
            .addInputs("image")
            .setInputTypes(InputType.convolutional(size, size, 1));
    graph.addLayer(
        "stem", convolution(16, 3).hasBias(false).activation(Activation.IDENTITY).build(), "image");
    String top = normalized(graph, "stem", true);
    int[] channels = {16, 32, 32};
    int[] strides = {1, 2, 1};
    for (int i = 0; i < channels.length; i++) {
      top = block(graph, "block" + i, top, channels[i], strides[i], i != 1);
    }
    graph
        .addLayer("average", new GlobalPoolingLayer.Builder(PoolingType.AVG).build(), top)
        .addLayer("output", output(classes), "average")
        .setOutputs("output");
    ComputationGraph network = new ComputationGraph(graph.build());
    network.init();
    return network;
  }

  /** Two hidden dense layers on vectors of {@code inputs} features. */
  public static MultiLayerNetwork mlp(int inputs, int classes, long seed) {
    MultiLayerNetwork network =
        new MultiLayerNetwork(
            base(seed)
                .list()
                .layer(named("dense1", new DenseLayer.Builder().nOut(128)))
                .layer(named("dense2", new DenseLayer.Builder().nOut(64)))
                .layer(output(classes))
                .setInputType(InputType.feedForward(inputs))
                .build());
    network.init();
    return network;
  }

  /** Nine hidden dense layers of shrinking width on vectors of {@code inputs} features. */
  public static MultiLayerNetwork deepMlp(int inputs, int classes, long seed) {
    int[] widths = {128, 112, 96, 96, 80, 64, 64, 48, 32};
    ListBuilder layers = base(seed).list();
    for (int i = 0; i < widths.length; i++) {
      layers.layer(named("dense" + (i + 1), new DenseLayer.Builder().nOut(widths[i])));
    }
    MultiLayerNetwork network =
        new MultiLayerNetwork(
            layers.layer(output(classes)).setInputType(InputType.feedForward(inputs)).build());
    network.init();
    return network;
  }

  /** One LSTM over the rows of an image, its last step, and a dense output. */
  public static MultiLayerNetwork lstm(int inputs, int classes, long seed) {
    LSTM cell = new LSTM.Builder().nOut(64).activation(Activation.TANH).build();
    MultiLayerNetwork network =
        new MultiLayerNetwork(
            base(seed)
                .list()
                .layer(new LastTimeStep(cell))
                .layer(output(classes))
                .setInputType(InputType.recurrent(inputs))
                .build());
    network.init();
    return network;
  }

  private static String block(
      ComputationGraphConfiguration.GraphBuilder graph,
      String name,
      String input,
      int channels,
      int stride,
      boolean keepsShape) {
    DepthwiseConvolution2D depthwise =
        new DepthwiseConvolution2D.Builder(3, 3)
            .depthMultiplier(1)
            .stride(stride, stride)
            .convolutionMode(ConvolutionMode.Same)
            .hasBias(false)
            .activation(Activation.IDENTITY)
            .build();
    graph.addLayer(name + "-depthwise", depthwise, input);
    String wide = normalized(graph, name + "-depthwise", true);
    graph.addLayer(
        name + "-pointwise",
        convolution(channels, 1).hasBias(false).activation(Activation.IDENTITY).build(),
        wide);
    String branch = normalized(graph, name + "-pointwise", false);
    String shortcut = input;
    if (!keepsShape) {
      graph.addLayer(
          name + "-shortcut",
          convolution(channels, 1)
              .stride(stride, stride)
              .hasBias(false)
              .activation(Activation.IDENTITY)
              .build(),
          input);
      shortcut = normalized(graph, name + "-shortcut", false);
    }
    graph.addVertex(
        name + "-add", new ElementWiseVertex(ElementWiseVertex.Op.Add), branch, shortcut);
    graph.addLayer(
        name + "-relu",
        new ActivationLayer.Builder().activation(Activation.RELU).build(),
        name + "-add");
    return name + "-relu";
  }

  private static String normalized(
      ComputationGraphConfiguration.GraphBuilder graph, String input, boolean relu) {
    graph.addLayer(input + "-norm", new BatchNormalization.Builder().build(), input);
    if (!relu) {
      return input + "-norm";
    }
    graph.addLayer(
        input + "-relu",
        new ActivationLayer.Builder().activation(Activation.RELU).build(),
        input + "-norm");
    return input + "-relu";
  }

  private static NeuralNetConfiguration.Builder base(long seed) {
    return new NeuralNetConfiguration.Builder()
        .seed(seed)
        .updater(new Adam(LEARNING_RATE))
        .weightInit(WeightInit.RELU)
        .activation(Activation.RELU);
  }

  private static ConvolutionLayer.Builder convolution(int channels, int kernel) {
    return new ConvolutionLayer.Builder(kernel, kernel)
        .nOut(channels)
        .convolutionMode(ConvolutionMode.Same);
  }

  private static ConvolutionLayer named(String name, ConvolutionLayer.Builder layer) {
    return layer.name(name).build();
  }

  private static DenseLayer named(String name, DenseLayer.Builder layer) {
    return layer.name(name).build();
  }

  private static SubsamplingLayer maxPooling(String name) {
    return new SubsamplingLayer.Builder(PoolingType.MAX)
        .kernelSize(2, 2)
        .stride(2, 2)
        .name(name)
        .build();
  }

  private static OutputLayer output(int classes) {
    return new OutputLayer.Builder(LossFunction.MCXENT)
        .name("output")
        .nOut(classes)
        .activation(Activation.SOFTMAX)
        .weightInit(WeightInit.XAVIER)
        .build();
  }

  private static MultiLayerNetwork init(ListBuilder layers, int size) {
    MultiLayerNetwork network =
        new MultiLayerNetwork(layers.setInputType(InputType.convolutional(size, size, 1)).build());
    network.init();
    return network;
  }
}
