package org.dl4jquant.convert;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.common.collect.ImmutableMap;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.function.Function;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.deeplearning4j.nn.conf.layers.ZeroPaddingLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.Quantization;
import org.dl4jquant.dl4j.Dl4jLayer;
import org.dl4jquant.dl4j.Dl4jNetwork;
import org.dl4jquant.dl4j.GraphReader;
import org.dl4jquant.dl4j.Tensors;
import org.dl4jquant.execute.FloatNetwork;
import org.dl4jquant.execute.IntegerNetwork;
import org.dl4jquant.graph.ActivationFormat;
import org.dl4jquant.graph.NetworkGraph;
import org.dl4jquant.precision.LayerPrecision;
import org.dl4jquant.precision.PrecisionPlan;
import org.dl4jquant.precision.Target;
import org.dl4jquant.stats.Sqnr;
import org.dl4jquant.stats.TensorProfile;
import org.dl4jquant.stats.TensorProfileAccumulator;
import org.dl4jquant.tensor.QuantizedTensor;
import org.dl4jquant.tensor.Tensor;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.lossfunctions.LossFunctions;
import org.nd4j.linalg.ops.transforms.Transforms;

final class ConversionTest {
  private static final int SEEDS = 60;

  /** Returns what every value of a network is like on these inputs. */
  static Function<String, Optional<TensorProfile>> profiles(Model model, INDArray input) {
    NetworkGraph graph = GraphReader.read(Dl4jNetwork.of(model)).graph();
    Map<String, TensorProfile> profiles = new LinkedHashMap<>();
    FloatNetwork.of(graph)
        .values(ImmutableMap.of(graph.inputs().get(0), Tensors.of(input)))
        .forEach(
            (name, value) -> {
              int[] shape = value.shape();
              int positions = Arrays.stream(shape).skip(2).reduce(1, (a, b) -> a * b);
              TensorProfileAccumulator seen = TensorProfileAccumulator.create(shape[1]);
              seen.acceptBatch(value.values(), positions);
              profiles.put(name, seen.snapshot());
            });
    return name -> Optional.ofNullable(profiles.get(name));
  }

  /** Returns numbers that are floats, although the arrays are of doubles. */
  static INDArray input(InputType type, int batch, long seed) {
    long[] shape = type.getShape(true);
    shape[0] = batch;
    Random random = new Random(seed);
    INDArray input = Nd4j.create(DataType.DOUBLE, shape);
    for (long i = 0; i < input.length(); i++) {
      input.putScalar(i, (float) (random.nextGaussian() * (1 + seed % 2)));
    }
    return input;
  }

  @Test
  void codesEqualThoseOfTheFakeQuantizedNetwork() {
    int compared = 0;
    int perChannel = 0;
    for (int seed = 0; seed < SEEDS; seed++) {
      RandomNetworks networks = new RandomNetworks(seed);
      InputType type = networks.input();
      Model model = seed % 2 == 0 ? networks.layers(type) : networks.graph(type);
      int bits = new int[] {8, 8, 4, 16, 6}[seed % 5];
      PrecisionPlan plan = PrecisionPlan.uniform(LayerPrecision.of(Math.min(8, bits), bits));
      QuantizedModel quantized =
          Conversion.DEFAULT
              .withTarget(seed % 4 == 3 ? Target.ONNX : Target.INTEGER)
              .convert(Dl4jNetwork.of(model), plan, profiles(model, input(type, 40, 2L * seed)));
      String what =
          "seed " + seed + " " + quantized.layers().stream().map(QuantizedLayer::kind).toList();
      assertEquals(
          ImmutableMap.of(), GraphReader.read(quantized.plainNetwork()).floatReasons(), what);
      compared += assertSameCodes(what, quantized, input(type, 3, seed + 1000));
      for (ActivationFormat format : quantized.activations().values()) {
        perChannel += format.formats().stream().distinct().count() > 1 ? 1 : 0;
        assertTrue(seed % 4 != 3 || format.perTensor(), what);
      }
    }
    assertTrue(perChannel > 100, "only " + perChannel + " values have formats per channel");
    assertTrue(compared > 100, "only " + compared + " values were compared");
  }

  @Test
  void sequencesAreConvertedWithRecurrentLayersInBetween() {
    int recurrent = 0;
    for (int seed = 0; seed < 30; seed++) {
      RandomSequences networks = new RandomSequences(seed, seed % 2 == 0);
      InputType type = networks.input();
      Model model = seed % 3 == 0 ? networks.graph(type) : networks.layers(type);
      QuantizedModel quantized =
          Conversion.DEFAULT.convert(
              Dl4jNetwork.of(model),
              PrecisionPlan.uniform(LayerPrecision.of(8, 8)),
              profiles(model, input(type, 4, 2L * seed)));
      String what =
          "seed " + seed + " " + quantized.layers().stream().map(QuantizedLayer::kind).toList();
      recurrent += GraphReader.read(quantized.plainNetwork()).floatReasons().isEmpty() ? 0 : 1;
      assertSameCodes(what, quantized, input(type, 3, seed + 1000));
    }
    assertTrue(recurrent > 3, "only " + recurrent + " networks have recurrent layers");
  }

  @Test
  void severalInputsAndOutputsAreConverted() {
    ComputationGraph network =
        new ComputationGraph(
            new NeuralNetConfiguration.Builder()
                .seed(5)
                .dataType(DataType.DOUBLE)
                .activation(Activation.RELU)
                .graphBuilder()
                .addInputs("image", "vector")
                .setInputTypes(InputType.convolutional(6, 5, 2), InputType.feedForward(4))
                .addLayer("conv", new ConvolutionLayer.Builder(3, 3).nOut(3).build(), "image")
                .addLayer("dense", new DenseLayer.Builder().nOut(5).build(), "vector")
                .addLayer("flat", new DenseLayer.Builder().nOut(5).build(), "conv")
                .addVertex("sum", new ElementWiseVertex(ElementWiseVertex.Op.Add), "dense", "flat")
                .addLayer(
                    "classes",
                    new OutputLayer.Builder().nOut(3).activation(Activation.SOFTMAX).build(),
                    "sum")
                .addLayer(
                    "value",
                    new OutputLayer.Builder(LossFunctions.LossFunction.MSE)
                        .nOut(2)
                        .activation(Activation.IDENTITY)
                        .build(),
                    "dense")
                .setOutputs("classes", "value")
                .build());
    network.init();
    INDArray[] inputs = {
      input(InputType.convolutional(6, 5, 2), 40, 2), input(InputType.feedForward(4), 40, 4)
    };
    QuantizedModel quantized = Quantization.of(network).calibrate(inputs).convert();
    List<INDArray> integers = quantized.output(inputs);
    List<INDArray> fake = quantized.network().output(inputs);
    List<INDArray> exact = Dl4jNetwork.of(network).output(inputs);
    assertEquals(2, integers.size());
    for (int i = 0; i < 2; i++) {
      float[] own = Tensors.of(integers.get(i)).values();
      assertArrayEquals(Tensors.of(fake.get(i)).values(), own, 1e-6f);
      double sqnr = Sqnr.decibels(Tensors.of(exact.get(i)).values(), own);
      assertTrue(sqnr > 30, "output " + i + ": " + sqnr + " dB");
    }
  }

  /** The mean error of each output over the data that was calibrated with. */
  private static double meanError(Model network, INDArray data, boolean corrects) {
    Quantization start = Quantization.of(network).weightBits(3).activationBits(12);
    QuantizedModel quantized =
        start.conversion(Conversion.DEFAULT.withBiasCorrection(corrects)).calibrate(data).convert();
    INDArray difference =
        quantized
            .output(data)
            .get(0)
            .castTo(DataType.DOUBLE)
            .sub(Dl4jNetwork.of(network).output(data).get(0).castTo(DataType.DOUBLE));
    return Transforms.abs(difference.mean(0)).meanNumber().doubleValue();
  }

  @Test
  void biasCorrectionTakesOutTheMeanErrorAlsoBehindPooling() {
    for (PoolingType pooling : new PoolingType[] {PoolingType.MAX, PoolingType.AVG}) {
      MultiLayerNetwork network =
          new MultiLayerNetwork(
              new NeuralNetConfiguration.Builder()
                  .seed(6)
                  .dataType(DataType.DOUBLE)
                  .list()
                  .layer(
                      new ConvolutionLayer.Builder(3, 3)
                          .nOut(8)
                          .activation(Activation.RELU)
                          .build())
                  .layer(
                      new SubsamplingLayer.Builder(pooling).kernelSize(2, 2).stride(2, 2).build())
                  .layer(new ZeroPaddingLayer.Builder(0, 0).build())
                  .layer(
                      new OutputLayer.Builder(LossFunctions.LossFunction.MSE)
                          .nOut(6)
                          .activation(Activation.IDENTITY)
                          .build())
                  .setInputType(InputType.convolutional(10, 10, 2))
                  .build());
      network.init();
      INDArray data = input(InputType.convolutional(10, 10, 2), 200, 8).addi(0.5);
      double without = meanError(network, data, false);
      double with = meanError(network, data, true);
      assertTrue(with < without / 3, pooling + ": " + with + " after " + without);
    }
  }

  /** Compares every value that DL4J shows. */
  static int assertSameCodes(String what, QuantizedModel quantized, INDArray input) {
    Map<String, INDArray> shown = values(quantized.network(), input);
    IntegerNetwork integers = quantized.toIntegerNetwork();
    NetworkGraph graph = integers.graph().graph();
    ImmutableMap<String, Tensor> inputs = ImmutableMap.of(graph.inputs().get(0), Tensors.of(input));
    int compared = 0;
    ImmutableMap<String, QuantizedTensor> codes = integers.layerCodes(inputs);
    for (String node : quantized.activations().keySet()) {
      INDArray value = shown.get(node);
      if (value == null || overwritten(graph, node) || !node.equals(graph.node(node).layer())) {
        continue;
      }
      Tensor expected = codes.get(node).dequantize();
      int[] shape = Arrays.stream(value.shape()).mapToInt(Math::toIntExact).toArray();
      if (!Arrays.equals(shape, expected.shape())) {
        value = value.permute(0, 3, 1, 2);
      }
      // Adding 0 makes 0.0 of -0.0.
      float[] actual = Tensors.of(value.add(0)).values();
      assertArrayEquals(expected.values(), actual, what + ", value of " + node);
      compared++;
    }
    Tensor output = integers.outputs(inputs).values().iterator().next();
    float[] actual = Tensors.of(quantized.network().output(input).get(0)).values();
    assertArrayEquals(output.values(), actual, 1e-6f, what + ", output");
    return compared;
  }

  /** DL4J's layer of an activation function alone works in place. */
  private static boolean overwritten(NetworkGraph graph, String node) {
    return graph.consumers(node).stream()
        .anyMatch(next -> next.op() instanceof org.dl4jquant.graph.Activation);
  }

  /** Returns what each layer gives, where it is quantized within the layer. */
  private static Map<String, INDArray> values(Dl4jNetwork network, INDArray input) {
    Map<String, INDArray> values = new LinkedHashMap<>();
    if (network.model() instanceof MultiLayerNetwork layers) {
      int i = 1;
      for (Dl4jLayer layer : network.layers()) {
        INDArray value = layers.feedForward(input, false).get(i++);
        if (layer.configuration().toString().contains("FakeQuantizedActivation")) {
          values.put(layer.name(), value);
        }
      }
    } else {
      values.putAll(((ComputationGraph) network.model()).feedForward(input, false));
      values.remove("in");
    }
    return values;
  }
}
