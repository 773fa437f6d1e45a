package org.dl4jquant.convert;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.CNN2DFormat;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex;
import org.deeplearning4j.nn.conf.graph.MergeVertex;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.Deconvolution2D;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.DepthwiseConvolution2D;
import org.deeplearning4j.nn.conf.layers.DropoutLayer;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.conf.layers.SeparableConvolution2D;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.deeplearning4j.nn.conf.layers.Upsampling2D;
import org.deeplearning4j.nn.conf.layers.ZeroPaddingLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.dl4j.Dl4jNetwork;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.lossfunctions.LossFunctions;

/** Small networks of doubles with random layers, topologies and parameters. */
final class RandomNetworks {
  private static final Activation[] ACTIVATIONS = {
    Activation.RELU,
    Activation.RELU,
    Activation.RELU6,
    Activation.IDENTITY,
    Activation.LEAKYRELU,
    Activation.HARDSIGMOID,
    Activation.SIGMOID,
    Activation.TANH,
    Activation.HARDTANH,
    Activation.ELU,
    Activation.SWISH
  };

  private final Random random;
  private final CNN2DFormat format;

  RandomNetworks(long seed) {
    random = new Random(seed);
    format = random.nextInt(3) == 0 ? CNN2DFormat.NHWC : CNN2DFormat.NCHW;
  }

  private Activation activation() {
    return ACTIVATIONS[random.nextInt(ACTIVATIONS.length)];
  }

  private int upTo(int most) {
    return 1 + random.nextInt(most);
  }

  InputType input() {
    return InputType.convolutional(8, 9, upTo(3), format);
  }

  /** Returns a layer that keeps height and width at 1 at least, whatever comes in. */
  private Layer spatial() {
    ConvolutionMode mode = random.nextBoolean() ? ConvolutionMode.Same : ConvolutionMode.Truncate;
    boolean same = mode == ConvolutionMode.Same;
    int kernel = same ? upTo(3) : upTo(2);
    boolean bias = random.nextInt(4) != 0;
    return switch (random.nextInt(13)) {
      case 0, 1, 2 ->
          new ConvolutionLayer.Builder(kernel, same ? upTo(3) : 1)
              .nOut(upTo(5))
              .stride(same ? upTo(2) : 1, 1)
              .dilation(same ? upTo(2) : 1, 1)
              .convolutionMode(mode)
              .hasBias(bias)
              .activation(activation())
              .build();
      case 3 ->
          new DepthwiseConvolution2D.Builder(kernel, kernel)
              .depthMultiplier(upTo(2))
              .convolutionMode(mode)
              .hasBias(bias)
              .activation(activation())
              .build();
      case 4 ->
          new SeparableConvolution2D.Builder(kernel, kernel)
              .depthMultiplier(upTo(2))
              .nOut(upTo(4))
              .convolutionMode(mode)
              .hasBias(bias)
              .activation(activation())
              .build();
      case 5 ->
          new Deconvolution2D.Builder(kernel, kernel)
              .nOut(upTo(3))
              .convolutionMode(mode)
              .hasBias(bias)
              .activation(activation())
              .build();
      case 6, 7 -> new BatchNormalization.Builder().build();
      case 8 ->
          new SubsamplingLayer.Builder(random.nextBoolean() ? PoolingType.MAX : PoolingType.AVG)
              .kernelSize(upTo(3), upTo(3))
              .stride(1, 1)
              .convolutionMode(ConvolutionMode.Same)
              .build();
      case 9 -> new ZeroPaddingLayer.Builder(upTo(2), 1).build();
      case 10 -> new Upsampling2D.Builder(2).build();
      case 11 -> new DropoutLayer.Builder(0.5).build();
      default -> new ActivationLayer(activation());
    };
  }

  /** DL4J tells from no dropout what shape its input has. */
  private Layer first() {
    Layer layer = spatial();
    return layer instanceof DropoutLayer ? new BatchNormalization.Builder().build() : layer;
  }

  private List<Layer> head() {
    List<Layer> head = new ArrayList<>();
    if (random.nextBoolean()) {
      head.add(new GlobalPoolingLayer(random.nextBoolean() ? PoolingType.AVG : PoolingType.MAX));
    }
    if (random.nextBoolean()) {
      head.add(new DenseLayer.Builder().nOut(upTo(6)).activation(activation()).build());
      if (random.nextBoolean()) {
        head.add(new BatchNormalization.Builder().build());
      }
    }
    boolean softmax = random.nextBoolean();
    head.add(
        new OutputLayer.Builder(
                softmax ? LossFunctions.LossFunction.MCXENT : LossFunctions.LossFunction.MSE)
            .nOut(3)
            .activation(softmax ? Activation.SOFTMAX : activation())
            .build());
    return head;
  }

  MultiLayerNetwork layers(InputType input) {
    NeuralNetConfiguration.ListBuilder list =
        new NeuralNetConfiguration.Builder()
            .dataType(DataType.DOUBLE)
            .activation(Activation.IDENTITY)
            .list();
    int depth = 1 + random.nextInt(5);
    list.layer(0, first());
    for (int i = 1; i < depth; i++) {
      list.layer(spatial());
    }
    head().forEach(list::layer);
    MultiLayerNetwork network = new MultiLayerNetwork(list.setInputType(input).build());
    network.init();
    return shaken(network);
  }

  ComputationGraph graph(InputType input) {
    ComputationGraphConfiguration.GraphBuilder builder =
        new NeuralNetConfiguration.Builder()
            .dataType(DataType.DOUBLE)
            .activation(Activation.IDENTITY)
            .graphBuilder()
            .addInputs("in");
    String last = "in";
    int blocks = 1 + random.nextInt(3);
    for (int b = 0; b < blocks; b++) {
      last = random.nextInt(3) == 0 ? chain(builder, last, "chain" + b) : block(builder, last, b);
    }
    int i = 0;
    for (Layer layer : head()) {
      String name = "head" + i++;
      builder.addLayer(name, layer, last);
      last = name;
    }
    ComputationGraph network =
        new ComputationGraph(builder.setOutputs(last).setInputTypes(input).build());
    network.init();
    return shaken(network);
  }

  private String chain(
      ComputationGraphConfiguration.GraphBuilder builder, String from, String name) {
    builder.addLayer(name, from.equals("in") ? first() : spatial(), from);
    return name;
  }

  /** Two branches of one shape that are added or joined. */
  private String block(ComputationGraphConfiguration.GraphBuilder builder, String from, int block) {
    int channels = upTo(4);
    String name = "block" + block;
    List<String> branches = new ArrayList<>();
    for (int b = 0; b < 2 + random.nextInt(2); b++) {
      String branch = name + "/branch" + b;
      builder.addLayer(
          branch,
          new ConvolutionLayer.Builder(upTo(3), upTo(3))
              .nOut(channels)
              .convolutionMode(ConvolutionMode.Same)
              .activation(activation())
              .build(),
          b == 2 ? branches.get(0) : from);
      if (random.nextBoolean()) {
        builder.addLayer(branch + "/norm", new BatchNormalization.Builder().build(), branch);
        branch += "/norm";
      }
      branches.add(branch);
    }
    String[] inputs = branches.toArray(String[]::new);
    if (random.nextBoolean()) {
      builder.addVertex(name, new ElementWiseVertex(ElementWiseVertex.Op.Add), inputs);
    } else {
      builder.addVertex(name, new MergeVertex(), inputs);
    }
    if (random.nextBoolean()) {
      builder.addLayer(name + "/activation", new ActivationLayer(activation()), name);
      return name + "/activation";
    }
    return name;
  }

  private <M extends Model> M shaken(M network) {
    Dl4jNetwork.of(network)
        .layers()
        .forEach(
            layer ->
                layer
                    .parameters()
                    .forEach(
                        parameter -> {
                          double scale = 0.2 + random.nextDouble();
                          for (long i = 0; i < parameter.value().length(); i++) {
                            parameter.value().putScalar(i, random.nextGaussian() * scale);
                          }
                        }));
    return network;
  }
}
