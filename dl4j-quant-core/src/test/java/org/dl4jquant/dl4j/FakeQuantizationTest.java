package org.dl4jquant.dl4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.graph.PreprocessorVertex;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.preprocessor.FeedForwardToCnnPreProcessor;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.util.ModelSerializer;
import org.dl4jquant.format.FixedPointFormat;
import org.dl4jquant.format.GridLevels;
import org.dl4jquant.format.LogFormat;
import org.dl4jquant.graph.ActivationFormat;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.activations.impl.ActivationIdentity;
import org.nd4j.linalg.activations.impl.ActivationReLU;
import org.nd4j.linalg.activations.impl.ActivationReLU6;
import org.nd4j.linalg.activations.impl.ActivationSigmoid;
import org.nd4j.linalg.activations.impl.ActivationSoftmax;
import org.nd4j.linalg.activations.impl.ActivationTanH;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;

final class FakeQuantizationTest {
  private static FakeQuantizer quantizer(FixedPointFormat format) {
    return FakeQuantizer.of(ActivationFormat.perTensor(format), 1);
  }

  @Test
  void numbersBecomeExactlyWhatTheFormatSays() {
    Random random = new Random(5);
    for (DataType type : List.of(DataType.FLOAT, DataType.DOUBLE)) {
      for (FixedPointFormat format :
          List.of(
              FixedPointFormat.signed(8, 4),
              FixedPointFormat.unsigned(4, 7),
              FixedPointFormat.signed(16, -3),
              FixedPointFormat.unsigned(2, 20))) {
        double[] values = new double[500];
        for (int i = 0; i < values.length; i++) {
          double code = random.nextInt(1 << 17) - (1 << 16);
          double half = random.nextInt(3) * 0.5; // many ties
          values[i] = (float) ((code + half) * format.scale() / (1 + random.nextInt(200)));
        }
        values[0] = Double.POSITIVE_INFINITY;
        values[1] = Double.NEGATIVE_INFINITY;
        values[2] = -0.0;
        INDArray array = Nd4j.createFromArray(values).castTo(type).reshape('f', 20, 25);
        double[] codes = Arrays.stream(values).map(format::fakeQuantize).toArray();
        INDArray expected = Nd4j.createFromArray(codes).castTo(type).reshape('f', 20, 25);
        INDArray actual = quantizer(format).quantizeInPlace(array);
        assertEquals(expected, actual, format + " " + type);
        assertEquals(expected, quantizer(format).quantizeInPlace(actual.dup()), "idempotent");
      }
    }
  }

  @Test
  void notANumberStays() {
    INDArray array = Nd4j.createFromArray(1.0, Double.NaN);
    INDArray quantized = quantizer(FixedPointFormat.signed(8, 2)).quantizeInPlace(array);
    assertTrue(Double.isNaN(quantized.getDouble(1)), quantized.toString());
  }

  @Test
  void eachChannelHasItsOwnFormat() {
    ActivationFormat format =
        ActivationFormat.perChannel(
            List.of(FixedPointFormat.signed(8, 0), FixedPointFormat.signed(8, 2)));
    INDArray array = Nd4j.createFromArray(1.3, 2.4, 1.3, 2.4).reshape(1, 2, 2);
    INDArray first = FakeQuantizer.of(format, 1).quantizeInPlace(array.dup());
    assertEquals(Nd4j.createFromArray(1.0, 2.0, 1.25, 2.5).reshape(1, 2, 2), first);
    INDArray last = FakeQuantizer.of(format, 2).quantizeInPlace(array.dup());
    assertEquals(Nd4j.createFromArray(1.0, 2.5, 1.0, 2.5).reshape(1, 2, 2), last);
    IllegalArgumentException e =
        assertThrows(
            IllegalArgumentException.class,
            () -> FakeQuantizer.of(format, 1).quantizeInPlace(Nd4j.ones(2, 3)));
    assertEquals("array must have 2 channels along axis 1, found [2, 3]", e.getMessage());
  }

  private static FakeQuantizer logarithmic(int gridBits) {
    GridLevels levels = GridLevels.of(new LogFormat(6, -20, 4), gridBits);
    return FakeQuantizer.of(ActivationFormat.logarithmic(levels), 1);
  }

  @Test
  void logarithmicNumbersBecomeTheLevelsOfTheirCodes() {
    for (DataType type : List.of(DataType.FLOAT, DataType.DOUBLE)) {
      for (int bits : new int[] {8, 12, 16}) {
        FakeQuantizer quantizer = logarithmic(bits);
        GridLevels levels = quantizer.gridLevels().orElseThrow();
        double[] values = new double[5000];
        double[] expected = new double[values.length];
        for (int i = 0; i < values.length; i++) {
          values[i] = (float) ((i - 100) * 1e-3);
          int code = (int) levels.grid().quantize(values[i]);
          expected[i] = levels.grid().dequantize(levels.table().get(code));
        }
        INDArray array = Nd4j.createFromArray(values).castTo(type).reshape('f', 50, 100);
        INDArray levelled = Nd4j.createFromArray(expected).castTo(type).reshape('f', 50, 100);
        INDArray found = quantizer.quantizeInPlace(array);
        assertEquals(levelled, found, bits + " " + type);
        assertEquals(levelled, quantizer.quantizeInPlace(found.dup()), "idempotent");
      }
      INDArray none = Nd4j.createFromArray(Double.NaN, 1).castTo(type);
      assertTrue(Double.isNaN(logarithmic(8).quantizeInPlace(none).getDouble(0)));
    }
  }

  @Test
  void theGradientOfLevelsIsThatOfTheFunctionAlone() {
    for (DataType type : List.of(DataType.FLOAT, DataType.DOUBLE)) {
      INDArray in = Nd4j.createFromArray(-0.1, 0, 1e-6, 0.5, 5, 1e4).castTo(type);
      INDArray relu =
          new FakeQuantizedActivation(new ActivationReLU(), null, logarithmic(8))
              .backprop(in.dup(), Nd4j.ones(type, 6))
              .getFirst();
      assertEquals(Nd4j.createFromArray(0.0, 0, 1, 1, 1, 1).castTo(type), relu);
      INDArray relu6 =
          new FakeQuantizedActivation(new ActivationReLU6(), null, logarithmic(8))
              .backprop(in.dup(), Nd4j.ones(type, 6))
              .getFirst();
      assertEquals(Nd4j.createFromArray(0.0, 0, 1, 1, 1, 0).castTo(type), relu6);
    }
  }

  @Test
  void theGradientPassesWhereNothingSaturates() {
    FakeQuantizedActivation activation =
        new FakeQuantizedActivation(
            new ActivationIdentity(), null, quantizer(FixedPointFormat.signed(4, 0)));
    INDArray in = Nd4j.createFromArray(-9.0, -8.0, 0.3, 7.0, 7.2);
    INDArray gradient = activation.backprop(in, Nd4j.ones(DataType.DOUBLE, 5)).getFirst();
    assertEquals(Nd4j.createFromArray(0.0, 1.0, 1.0, 1.0, 0.0), gradient);
    FakeQuantizedActivation relu =
        new FakeQuantizedActivation(
            new ActivationReLU(), null, quantizer(FixedPointFormat.unsigned(4, 0)));
    INDArray ramp = Nd4j.createFromArray(-1.0, 0.3, 15.0, 15.5);
    INDArray slope = relu.backprop(ramp, Nd4j.ones(DataType.DOUBLE, 4)).getFirst();
    assertEquals(Nd4j.createFromArray(0.0, 1.0, 1.0, 0.0), slope);
  }

  @Test
  void theGradientOfTheFunctionIsTakenAtTheQuantizedArgument() {
    FakeQuantizedActivation tanh =
        new FakeQuantizedActivation(
            new ActivationTanH(),
            quantizer(FixedPointFormat.signed(4, 1)),
            quantizer(FixedPointFormat.signed(8, 7)));
    INDArray in = Nd4j.createFromArray(0.3, 0.9, 9.0);
    INDArray gradient = tanh.backprop(in.dup(), Nd4j.ones(DataType.DOUBLE, 3)).getFirst();
    double at = 1 - Math.pow(Math.tanh(0.5), 2);
    assertEquals(at, gradient.getDouble(0), 1e-12);
    assertEquals(1 - Math.pow(Math.tanh(1), 2), gradient.getDouble(1), 1e-12);
    assertEquals(0, gradient.getDouble(2));
    INDArray out = tanh.getActivation(in.dup(), false);
    assertEquals(Math.rint(Math.tanh(0.5) * 128) / 128, out.getDouble(0));
  }

  private static MultiLayerNetwork network() {
    MultiLayerNetwork network =
        new MultiLayerNetwork(
            new NeuralNetConfiguration.Builder()
                .seed(3)
                .list()
                .layer(
                    new DenseLayer.Builder()
                        .nOut(4)
                        .activation(
                            new FakeQuantizedActivation(new ActivationReLU(), null, logarithmic(9)))
                        .build())
                .layer(
                    new DenseLayer.Builder()
                        .nOut(5)
                        .activation(
                            new FakeQuantizedActivation(
                                new ActivationSigmoid(),
                                quantizer(FixedPointFormat.signed(12, 8)),
                                quantizer(FixedPointFormat.unsigned(8, 8))))
                        .build())
                .layer(
                    new OutputLayer.Builder()
                        .nOut(3)
                        .activation(
                            new FakeQuantizedActivation(
                                new ActivationSoftmax(),
                                quantizer(FixedPointFormat.signed(16, 10)),
                                null))
                        .build())
                .inputPreProcessor(
                    0, FakeQuantizedPreProcessor.of(quantizer(FixedPointFormat.signed(8, 5))))
                .setInputType(InputType.feedForward(4))
                .build());
    network.init();
    return network;
  }

  @Test
  void theyLiveInDl4jsConfigurationAndFile() throws IOException {
    MultiLayerNetwork network = network();
    String json = network.getLayerWiseConfigurations().toJson();
    assertEquals(network.getLayerWiseConfigurations(), MultiLayerConfiguration.fromJson(json));
    assertEquals(json, MultiLayerConfiguration.fromJson(json).toJson());
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ModelSerializer.writeModel(network, out, true);
    MultiLayerNetwork read =
        ModelSerializer.restoreMultiLayerNetwork(new ByteArrayInputStream(out.toByteArray()));
    INDArray x = Nd4j.rand(6, 4);
    assertEquals(network.output(x), read.output(x));
    network.fit(new DataSet(x, Nd4j.eye(3).repeat(0, 2)));
    assertTrue(Double.isFinite(network.score()), "training goes on");
  }

  @Test
  void aPreprocessorQuantizesAndThenDoesWhatFollows() {
    FakeQuantizedPreProcessor both =
        FakeQuantizedPreProcessor.of(quantizer(FixedPointFormat.signed(8, 1)))
            .followedBy(new FeedForwardToCnnPreProcessor(2, 2, 1));
    ComputationGraphConfiguration configuration =
        new NeuralNetConfiguration.Builder()
            .graphBuilder()
            .addInputs("in")
            .addVertex("image", new PreprocessorVertex(both), "in")
            .setOutputs("image")
            .build();
    assertEquals(configuration, ComputationGraphConfiguration.fromJson(configuration.toJson()));
    assertEquals(both, both.clone());
    Dl4jNetwork network =
        Dl4jNetwork.create(true, configuration.toJson(), Nd4j.empty(DataType.FLOAT));
    INDArray in = Nd4j.createFromArray(0.3f, 0.7f, -0.3f, 100f).reshape(1, 4);
    INDArray out = network.output(in).get(0);
    assertEquals(Nd4j.createFromArray(0.5f, 0.5f, -0.5f, 63.5f).reshape(1, 1, 2, 2), out);
    assertEquals(0.3f, in.getFloat(0), "the input was written to");
  }
}
