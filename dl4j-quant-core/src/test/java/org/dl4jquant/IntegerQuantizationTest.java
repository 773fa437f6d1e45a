package org.dl4jquant;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.Random;
import org.deeplearning4j.datasets.iterator.utilty.ListDataSetIterator;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.dl4j.Dl4jNetwork;
import org.dl4jquant.graph.QuantizedGraph;
import org.dl4jquant.precision.LayerSelector;
import org.dl4jquant.report.QuantizationReport;
import org.dl4jquant.strategy.FormatStrategy;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;

final class IntegerQuantizationTest {
  private static final int CLASSES = 3;

  /** Bars of three directions in noise: learned in seconds. */
  private static DataSet bars(int examples, long seed) {
    Random random = new Random(seed);
    INDArray images = Nd4j.create(examples, 1, 8, 8);
    INDArray labels = Nd4j.create(examples, CLASSES);
    for (int e = 0; e < examples; e++) {
      int kind = random.nextInt(CLASSES);
      int at = 1 + random.nextInt(6);
      for (int i = 0; i < 64; i++) {
        int row = i / 8;
        int column = i % 8;
        boolean bar = kind == 0 ? row == at : kind == 1 ? column == at : (row + column) % 8 == at;
        images.putScalar(e, 0, row, column, (bar ? 1 : 0) + 0.3 * random.nextGaussian());
      }
      labels.putScalar(e, kind, 1);
    }
    return new DataSet(images, labels);
  }

  private static MultiLayerNetwork trained() {
    return trained(PoolingType.MAX);
  }

  private static MultiLayerNetwork trained(PoolingType pooling) {
    MultiLayerNetwork network =
        new MultiLayerNetwork(
            new NeuralNetConfiguration.Builder()
                .seed(4)
                .updater(new Adam(0.01))
                .list()
                .layer(
                    new ConvolutionLayer.Builder(3, 3)
                        .name("conv")
                        .nOut(8)
                        .hasBias(false)
                        .activation(Activation.IDENTITY)
                        .build())
                .layer(new BatchNormalization.Builder().name("norm").build())
                .layer(new ActivationLayer.Builder().activation(Activation.RELU).build())
                .layer(new SubsamplingLayer.Builder(pooling).kernelSize(2, 2).stride(2, 2).build())
                .layer(
                    new OutputLayer.Builder()
                        .name("out")
                        .nOut(CLASSES)
                        .activation(Activation.SOFTMAX)
                        .build())
                .setInputType(InputType.convolutional(8, 8, 1))
                .build());
    network.init();
    DataSet data = bars(300, 1);
    for (int i = 0; i < 60; i++) {
      network.fit(data);
    }
    return network;
  }

  private static double accuracy(INDArray output, DataSet data) {
    INDArray hits = output.argMax(1).eq(data.getLabels().argMax(1));
    return hits.castTo(DataType.FLOAT).meanNumber().doubleValue();
  }

  @Test
  void aBrokenWeightIsRefusedByNameBeforeCalibration() {
    INDArray data = bars(40, 3).getFeatures();
    MultiLayerNetwork network = trained();
    network.getParam("0_W").putScalar(new int[] {1, 0, 2, 2}, Float.NaN);
    assertRefused("parameter W of layer conv", network, data);
    network.getParam("0_W").putScalar(new int[] {1, 0, 2, 2}, Float.NEGATIVE_INFINITY);
    assertRefused("parameter W of layer conv", network, data);
    network.getParam("0_W").putScalar(new int[] {1, 0, 2, 2}, 0);
    network.getParam("1_mean").putScalar(0, 2, Float.NaN);
    assertRefused("parameter mean of layer norm", network, data);
    network.getParam("1_mean").putScalar(0, 2, 0);
    assertEquals(40, Quantization.of(network).calibrate(data).convert().output(data).get(0).rows());
  }

  private static void assertRefused(String parameter, MultiLayerNetwork network, INDArray data) {
    String message = parameter + " must hold only finite numbers, found 1 that are NaN or infinite";
    assertEquals(
        message,
        assertThrows(IllegalArgumentException.class, () -> Quantization.of(network).calibrate(data))
            .getMessage());
    ListDataSetIterator<DataSet> iterator =
        new ListDataSetIterator<>(
            new DataSet(data, Nd4j.zeros(data.size(0), CLASSES)).asList(), 16);
    assertEquals(
        message,
        assertThrows(
                IllegalArgumentException.class, () -> Quantization.of(network).calibrate(iterator))
            .getMessage());
  }

  @Test
  void brokenDataAmongTheFirstExamplesAreLeftOutAsAmongTheOthers() {
    MultiLayerNetwork network = trained(PoolingType.AVG);
    DataSet data = bars(100, 3);
    INDArray whole = data.getFeatures().dup();
    INDArray broken = data.getFeatures();
    broken.putScalar(new int[] {2, 0, 4, 4}, Float.NaN);
    broken.putScalar(new int[] {5, 0, 3, 3}, Float.POSITIVE_INFINITY);
    QuantizedModel expected = Quantization.of(network).calibrate(whole).convert();
    QuantizedModel one = Quantization.of(network).calibrate(broken).convert();
    QuantizedModel parts =
        Quantization.of(network).calibrate(new ListDataSetIterator<>(data.asList(), 16)).convert();
    assertEquals(expected.activations().keySet(), one.activations().keySet());
    assertEquals(one.activations(), parts.activations());
    INDArray test = bars(100, 2).getFeatures();
    assertEquals(0, expected.output(test).get(0).distance1(one.output(test).get(0)), 2);
  }

  @Test
  void aTrainedNetworkComputesInIntegersAsWellAsBefore(@TempDir Path directory) {
    MultiLayerNetwork network = trained();
    DataSet test = bars(400, 2);
    INDArray before = network.params().dup();
    double original = accuracy(network.output(test.getFeatures()), test);
    assertTrue(original > 0.9, "trained to " + original);
    QuantizedModel model =
        Quantization.of(network)
            .weightBits(8)
            .strategy(FormatStrategy.percentile(99.9))
            .calibrate(bars(100, 3).getFeatures())
            .convert();
    assertEquals(before, network.params(), "the network was changed");
    INDArray integers = model.output(test.getFeatures()).get(0);
    assertTrue(
        accuracy(integers, test) >= original - 0.02, "integers: " + accuracy(integers, test));
    INDArray fake = Dl4jNetwork.of(model.toNetwork()).output(test.getFeatures()).get(0);
    assertEquals(1, accuracy(fake, new DataSet(test.getFeatures(), integers)), 0.01);

    Path file = directory.resolve("model.zip");
    model.save(file);
    QuantizedModel read = QuantizedModel.load(file);
    assertEquals(model.activations(), read.activations());
    assertEquals(model.provenance(), read.provenance());
    assertEquals(integers, read.output(test.getFeatures()).get(0));
  }

  @Test
  void aLayerThatStaysFloatIsSurroundedByIntegers() {
    MultiLayerNetwork network = trained();
    INDArray data = bars(60, 5).getFeatures();
    QuantizedModel model =
        Quantization.of(network)
            .keepFloat(LayerSelector.named("out"))
            .activationBits(6)
            .calibrate(data)
            .convert();
    assertTrue(model.toQuantizedGraph().weights("out/preactivation").isEmpty());
    assertTrue(model.toQuantizedGraph().weights("conv").isPresent());
    assertEquals(6, model.activations().get("input").bitWidth());
  }

  @Test
  void withoutCalibrationNothingIsComputedInIntegers() {
    QuantizedModel model = Quantization.of(trained()).convert();
    assertEquals(
        "a model of quantized weights alone does not compute in integers",
        assertThrows(IllegalStateException.class, model::toIntegerNetwork).getMessage());
  }

  @Test
  void theCalibrationOfAnotherNetworkIsRefused() {
    MultiLayerNetwork network = trained();
    Quantization calibrated = Quantization.of(network).calibrate(bars(60, 5).getFeatures());
    network.params().muli(1.1);
    assertEquals(
        "calibration must be of this network, found one of another network, or of other parameters",
        assertThrows(IllegalArgumentException.class, calibrated::convert).getMessage());
  }

  @Test
  void theReportTellsTheProvedWidthOfEveryLayersSums() {
    Quantization calibrated = Quantization.of(trained()).calibrate(bars(60, 5).getFeatures());
    QuantizedModel model = calibrated.convert();
    JsonNode layers = QuantizationReport.of(model).toJson();
    QuantizedGraph graph = model.toQuantizedGraph();
    // 9 weights of a channel, and what a code of the input can be at most
    int[] codes = graph.weights("conv").orElseThrow().weight().codes();
    long most = 0;
    for (int channel = 0; channel < 8; channel++) {
      long sum = Math.abs(graph.weights("conv").orElseThrow().bias().get(channel));
      for (int i = 0; i < 9; i++) {
        sum += 128L * Math.abs(codes[9 * channel + i]);
      }
      most = Math.max(most, sum);
    }
    int bits = Long.SIZE + 1 - Long.numberOfLeadingZeros(most);
    assertEquals(bits, layers.at("/0/accumulatorBits").intValue());
    assertEquals("int32", layers.at("/0/accumulatorType").textValue());
    assertEquals(8, layers.at("/2/valueBits").intValue());
    assertTrue(layers.at("/3/accumulatorBits").isNull(), "a pooling sums nothing");
    assertEquals(16, layers.at("/4/valueBits").intValue());
    String table = model.report().table();
    assertTrue(table.contains(layers.at("/4/accumulatorBits").intValue() + " int32"), table);

    QuantizedModel wide = calibrated.weightBits(16).activationBits(16).convert();
    JsonNode last = QuantizationReport.of(wide).toJson().get(4);
    assertTrue(last.at("/accumulatorBits").intValue() > 32, last.toString());
    assertEquals("int64", last.at("/accumulatorType").textValue());
  }
}
