package org.dl4jquant.convert;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.Supplier;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.CNN2DFormat;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex;
import org.deeplearning4j.nn.conf.graph.MergeVertex;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.inputs.InputType.InputTypeConvolutional;
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
import org.deeplearning4j.nn.conf.layers.convolutional.Cropping2D;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.dl4j.Dl4jLayer;
import org.dl4jquant.dl4j.Dl4jNetwork;
import org.dl4jquant.dl4j.Dl4jParameter;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.lossfunctions.LossFunctions;

/** Small networks of doubles with random layers, topologies and parameters. */
public final class RandomNetworks {
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

  private static final ConvolutionMode[] MODES = {
    ConvolutionMode.Same, ConvolutionMode.Truncate, ConvolutionMode.Strict
  };
  private static final int MOST_PIXELS = 160;

  private final Random random;
  private final CNN2DFormat format;

  public RandomNetworks(long seed) {
    random = new Random(seed);
    format = random.nextInt(3) == 0 ? CNN2DFormat.NHWC : CNN2DFormat.NCHW;
  }

  private Activation activation() {
    return ACTIVATIONS[random.nextInt(ACTIVATIONS.length)];
  }

  private int upTo(int most) {
    return 1 + random.nextInt(most);
  }

  public InputType input() {
    return InputType.convolutional(8, 9, upTo(3), format);
  }

  /** Returns a layer that takes images of this kind and gives at least one pixel. */
  private Layer spatial(InputType type) {
    while (true) {
      Layer layer = anything();
      if (sizeAfter(layer, type) > 0) {
        return layer;
      }
    }
  }

  /** Returns the smaller of height and width of what a layer gives; 0 if it takes no such image. */
  private static long sizeAfter(Layer layer, InputType type) {
    try {
      InputTypeConvolutional after = (InputTypeConvolutional) after(layer, type);
      boolean small = after.getHeight() * after.getWidth() <= MOST_PIXELS;
      return small ? Math.min(after.getHeight(), after.getWidth()) : 0;
    } catch (RuntimeException e) {
      return 0; // DL4J refuses it: a window that exceeds the image, or does not end with it
    }
  }

  private static InputType after(Layer layer, InputType type) {
    Layer copy = layer.clone();
    copy.setNIn(type, true);
    return copy.getOutputType(0, type);
  }

  private ConvolutionMode mode() {
    return MODES[random.nextInt(MODES.length)];
  }

  private Layer anything() {
    boolean bias = random.nextInt(4) != 0;
    int padding = random.nextInt(2);
    int stride = upTo(2);
    return switch (random.nextInt(13)) {
      case 0, 1, 2 ->
          new ConvolutionLayer.Builder(upTo(3), upTo(3))
              .nOut(upTo(5))
              .stride(upTo(2), upTo(2))
              .dilation(upTo(2), upTo(2))
              .padding(padding, random.nextInt(2))
              .convolutionMode(mode())
              .hasBias(bias)
              .activation(activation())
              .build();
      case 3 ->
          new DepthwiseConvolution2D.Builder(upTo(3), upTo(3))
              .depthMultiplier(upTo(2))
              .stride(upTo(2), 1)
              .dilation(1, upTo(2))
              .padding(padding, 0)
              .convolutionMode(mode())
              .hasBias(bias)
              .activation(activation())
              .build();
      case 4 ->
          new SeparableConvolution2D.Builder(upTo(3), upTo(3))
              .depthMultiplier(upTo(2))
              .nOut(upTo(4))
              .stride(stride, stride)
              .padding(padding, padding)
              .convolutionMode(mode())
              .hasBias(bias)
              .activation(activation())
              .build();
      case 5 -> {
        ConvolutionMode mode = random.nextBoolean() ? ConvolutionMode.Same : mode();
        yield new Deconvolution2D.Builder(upTo(3), upTo(3))
            .nOut(upTo(3))
            .stride(upTo(2), 1)
            .convolutionMode(mode)
            .hasBias(bias)
            .activation(activation())
            .build();
      }
      case 6, 7 -> new BatchNormalization.Builder().build();
      case 8 ->
          new SubsamplingLayer.Builder(random.nextBoolean() ? PoolingType.MAX : PoolingType.AVG)
              .kernelSize(upTo(3), upTo(3))
              .stride(upTo(2), upTo(2))
              .convolutionMode(mode())
              .build();
      case 9 ->
          random.nextBoolean()
              ? new ZeroPaddingLayer.Builder(upTo(2), 1).build()
              : new Cropping2D.Builder(random.nextInt(2), random.nextInt(2)).build();
      case 10 -> new Upsampling2D.Builder(2).build();
      case 11 -> new DropoutLayer.Builder(0.5).build();
      default -> new ActivationLayer(activation());
    };
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

  public MultiLayerNetwork layers(InputType input) {
    return running(input, () -> drawLayers(input));
  }

  private MultiLayerNetwork drawLayers(InputType input) {
    NeuralNetConfiguration.ListBuilder list =
        new NeuralNetConfiguration.Builder()
            .dataType(DataType.DOUBLE)
            .activation(Activation.IDENTITY)
            .list();
    int depth = 1 + random.nextInt(5);
    InputType type = input;
    for (int i = 0; i < depth; i++) {
      Layer layer = spatial(type);
      type = after(layer, type);
      list.layer(layer);
    }
    head().forEach(list::layer);
    MultiLayerNetwork network = new MultiLayerNetwork(list.setInputType(input).build());
    network.init();
    return shaken(network);
  }

  public ComputationGraph graph(InputType input) {
    return running(input, () -> drawGraph(input));
  }

  private ComputationGraph drawGraph(InputType input) {
    ComputationGraphConfiguration.GraphBuilder builder =
        new NeuralNetConfiguration.Builder()
            .dataType(DataType.DOUBLE)
            .activation(Activation.IDENTITY)
            .graphBuilder()
            .addInputs("in")
            .setInputTypes(input);
    String last = "in";
    InputType type = input;
    int blocks = 1 + random.nextInt(3);
    for (int b = 0; b < blocks; b++) {
      if (random.nextInt(3) == 0) {
        Layer layer = spatial(type);
        type = after(layer, type);
        builder.addLayer("chain" + b, layer, last);
        last = "chain" + b;
      } else {
        last = block(builder, last, b);
        type = builder.getLayerActivationTypes().get(last);
      }
    }
    int i = 0;
    for (Layer layer : head()) {
      String name = "head" + i++;
      builder.addLayer(name, layer, last);
      last = name;
    }
    ComputationGraph network = new ComputationGraph(builder.setOutputs(last).build());
    network.init();
    return shaken(network);
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
    shake(Dl4jNetwork.of(network), random);
    return network;
  }

  /** Draws until there is a network that DL4J builds and runs; not all that it builds runs. */
  static <M extends Model> M running(InputType input, Supplier<M> draw) {
    long[] shape = input.getShape(true);
    shape[0] = 1;
    RuntimeException last = new IllegalStateException("nothing was drawn");
    for (int i = 0; i < 100; i++) {
      try {
        M network = draw.get();
        Dl4jNetwork.of(network).output(Nd4j.zeros(DataType.DOUBLE, shape));
        return network;
      } catch (RuntimeException e) {
        last = e;
      }
    }
    throw new IllegalStateException("DL4J runs none of 100 networks of " + input, last);
  }

  /** Gives every parameter a random number, of a spread of its own. */
  static void shake(Dl4jNetwork network, Random random) {
    for (Dl4jLayer layer : network.layers()) {
      for (Dl4jParameter parameter : layer.parameters()) {
        double scale = 0.2 + random.nextDouble();
        for (long i = 0; i < parameter.value().length(); i++) {
          parameter.value().putScalar(i, random.nextGaussian() * scale);
        }
      }
    }
  }
}
