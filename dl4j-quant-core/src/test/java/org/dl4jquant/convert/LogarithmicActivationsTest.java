package org.dl4jquant.convert;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableMap;
import com.google.common.collect.ImmutableSet;
import com.google.common.collect.Maps;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.deeplearning4j.datasets.iterator.ExistingDataSetIterator;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex;
import org.deeplearning4j.nn.conf.graph.MergeVertex;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.Quantization;
import org.dl4jquant.calibrate.Calibration;
import org.dl4jquant.calibrate.CalibrationResult;
import org.dl4jquant.dl4j.Dl4jNetwork;
import org.dl4jquant.export.PackedArchive;
import org.dl4jquant.format.LogFormat;
import org.dl4jquant.graph.ActivationFormat;
import org.dl4jquant.onnxruntime.OnnxComparison;
import org.dl4jquant.precision.Scheme;
import org.dl4jquant.precision.Target;
import org.dl4jquant.report.QuantizationReport;
import org.dl4jquant.stats.LogBins;
import org.dl4jquant.stats.LogHistogram;
import org.dl4jquant.strategy.FormatStrategy;
import org.dl4jquant.strategy.WeightedEntropyActivations;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;

final class LogarithmicActivationsTest {
  private static NeuralNetConfiguration.Builder base() {
    return new NeuralNetConfiguration.Builder()
        .seed(5)
        .dataType(DataType.DOUBLE)
        .activation(Activation.RELU);
  }

  private static ConvolutionLayer.Builder convolution(String name) {
    return new ConvolutionLayer.Builder(3, 3)
        .name(name)
        .nOut(6)
        .convolutionMode(ConvolutionMode.Same);
  }

  private static OutputLayer output() {
    return new OutputLayer.Builder().name("out").nOut(3).activation(Activation.SOFTMAX).build();
  }

  /** A folded normalization, pooling, and functions that are rectifiers and that are not. */
  private static MultiLayerNetwork layers() {
    MultiLayerNetwork network =
        new MultiLayerNetwork(
            base()
                .list()
                .layer(convolution("conv").activation(Activation.IDENTITY).build())
                .layer(new BatchNormalization.Builder().build())
                .layer(
                    new ActivationLayer.Builder().name("relu").activation(Activation.RELU).build())
                .layer(
                    new SubsamplingLayer.Builder(PoolingType.MAX)
                        .kernelSize(2, 2)
                        .stride(2, 2)
                        .build())
                .layer(convolution("six").activation(Activation.RELU6).build())
                .layer(convolution("leaky").activation(Activation.LEAKYRELU).build())
                .layer(convolution("tanh").activation(Activation.TANH).build())
                .layer(new DenseLayer.Builder().name("dense").nOut(9).build())
                .layer(output())
                .setInputType(InputType.convolutional(8, 8, 2))
                .build());
    network.init();
    return network;
  }

  /** A value that a convolution, a sum and a concatenation take. */
  private static ComputationGraph graph() {
    ComputationGraph network =
        new ComputationGraph(
            base()
                .graphBuilder()
                .addInputs("in")
                .setInputTypes(InputType.convolutional(8, 8, 2))
                .addLayer("stem", convolution("stem").build(), "in")
                .addLayer("norm", new BatchNormalization.Builder().build(), "stem")
                .addLayer("left", convolution("left").build(), "stem")
                .addLayer(
                    "pool",
                    new SubsamplingLayer.Builder(PoolingType.MAX)
                        .kernelSize(3, 3)
                        .stride(1, 1)
                        .convolutionMode(ConvolutionMode.Same)
                        .build(),
                    "stem")
                .addVertex("both", new MergeVertex(), "left", "pool")
                .addLayer(
                    "next", convolution("next").activation(Activation.IDENTITY).build(), "both")
                .addVertex("sum", new ElementWiseVertex(ElementWiseVertex.Op.Add), "next", "stem")
                .addLayer("relu", new ActivationLayer(Activation.RELU), "sum")
                .addVertex("mixed", new MergeVertex(), "relu", "norm")
                .addLayer("last", convolution("last").build(), "mixed")
                .addLayer(
                    "average", new GlobalPoolingLayer.Builder(PoolingType.AVG).build(), "last")
                .addLayer("out", output(), "average")
                .setOutputs("out")
                .build());
    network.init();
    return network;
  }

  private static INDArray images(int count) {
    return Nd4j.randn(DataType.DOUBLE, count, 2, 8, 8);
  }

  private static Quantization quantization(Model network, int bits) {
    return Quantization.of(network)
        .weightBits(5)
        .activationBits(bits)
        .logarithmicActivations(LogarithmicActivations.DEFAULT);
  }

  private static Set<String> logarithmic(QuantizedModel model) {
    return Maps.filterValues(model.activations(), format -> format.levels().isPresent()).keySet();
  }

  @Test
  void whatARectifierGivesHasLevelsAndIntegersComputeWithThem() {
    for (int gridBits : new int[] {8, 11}) {
      for (Target target : Target.values()) {
        INDArray input = images(40);
        LogarithmicActivations grid = new LogarithmicActivations(gridBits);
        QuantizedModel model =
            quantization(layers(), 4)
                .logarithmicActivations(grid)
                .target(target)
                .calibrate(input)
                .convert();
        assertEquals(ImmutableSet.of("relu", "six", "dense"), logarithmic(model));
        ActivationFormat format = model.activations().get("relu");
        assertEquals(4, format.storedBits());
        assertEquals(gridBits, format.bitWidth());
        assertEquals(4, model.activations().get("tanh").storedBits());
        int compared = ConversionTest.assertSameCodes("layers", model, input);
        assertTrue(compared >= 5, compared + " values");

        QuantizedModel graph =
            quantization(graph(), 4)
                .logarithmicActivations(grid)
                .target(target)
                .calibrate(input)
                .convert();
        assertEquals(ImmutableSet.of("stem", "left", "both", "relu", "last"), logarithmic(graph));
        assertEquals(graph.activations().get("stem"), graph.activations().get("left"));
        assertEquals(graph.activations().get("stem"), graph.activations().get("both"));
        assertFalse(
            graph.activations().get("stem").equals(graph.activations().get("relu")), "tied");
        compared = ConversionTest.assertSameCodes("graph", graph, input);
        assertTrue(compared >= 6, compared + " values");
      }
    }
  }

  @Test
  void onnxRuntimeComputesTheSameCodes() {
    INDArray input = images(40);
    DataSet data = new DataSet(input, Nd4j.zeros(DataType.DOUBLE, 40, 3));
    for (Model network : List.of(layers(), graph())) {
      for (int gridBits : new int[] {8, 12}) {
        QuantizedModel model =
            quantization(network, 5)
                .logarithmicActivations(new LogarithmicActivations(gridBits))
                .target(Target.ONNX)
                .calibrate(input)
                .convert();
        OnnxComparison compared = model.verifyOnnx(new ExistingDataSetIterator(List.of(data)));
        assertEquals(ImmutableList.of(), compared.broken(model.toQuantizedGraph().graph()));
        assertEquals(0, compared.mismatches(), compared.toJson());
        assertTrue(compared.elements() > 40_000, compared.toJson());
      }
    }
  }

  @Test
  void theyComeBackFromAnArchive(@TempDir Path folder) {
    INDArray input = images(40);
    for (Model network : List.of(layers(), graph())) {
      QuantizedModel model = quantization(network, 4).calibrate(input).convert();
      Path file = folder.resolve("m.dq.zip");
      PackedArchive.write(model, file);
      QuantizedModel read = PackedArchive.read(file);
      assertEquals(model.activations(), read.activations());
      assertEquals(model.output(input), read.output(input));
    }
  }

  @Test
  void theLevelsAreThoseOfWhatCalibrationSaw() {
    MultiLayerNetwork network = layers();
    INDArray input = images(40);
    QuantizedModel model = quantization(network, 4).calibrate(input).convert();
    CalibrationResult seen = Calibration.of(Dl4jNetwork.of(network)).withLogarithms().run(input);
    LogHistogram all = LogHistogram.create();
    for (double value : network.feedForward(input, false).get(3).dup().data().asDouble()) {
      all.accept((float) value);
    }
    LogBins bins = seen.logarithms("relu").orElseThrow();
    assertEquals(all.snapshot(), bins);
    assertEquals(
        new WeightedEntropyActivations(16).choose(bins), model.activations().get("relu").levels());
    assertEquals(ImmutableSet.of("relu", "six", "dense"), seen.logarithms().keySet());
    CalibrationResult twice = seen.combine(seen);
    assertEquals(bins.plus(bins), twice.logarithms("relu").orElseThrow());
    assertTrue(
        Calibration.of(Dl4jNetwork.of(network)).run(input).logarithms().isEmpty(), "unasked");
    assertThrows(
        IllegalArgumentException.class,
        () -> seen.combine(Calibration.of(Dl4jNetwork.of(network)).run(input)));
  }

  @Test
  void aValueWithoutRoomForLevelsStaysUniformAndIsNamed() {
    MultiLayerNetwork network = layers();
    network.getLayer(4).getParam("b").assign(-1e6); // the channels of "six" are dead
    INDArray input = images(40);
    QuantizedModel model = quantization(network, 4).calibrate(input).convert();
    assertEquals(ImmutableSet.of("relu"), logarithmic(model));
    String start =
        "mse; logarithmic after a ReLU on grids of 8 bits, but not 'six': no positive values";
    String strategy = model.provenance().activationStrategy();
    assertTrue(strategy.startsWith(start), strategy);
    QuantizedModel wide = quantization(layers(), 8).calibrate(input).convert();
    assertEquals(ImmutableSet.of(), logarithmic(wide));
    assertTrue(
        wide.provenance().activationStrategy().contains("'relu': too few octaves for 256 levels"),
        wide.provenance().activationStrategy());
  }

  @Test
  void aConstantValueStaysUniform() {
    MultiLayerNetwork network =
        new MultiLayerNetwork(
            base()
                .list()
                .layer(new DenseLayer.Builder().name("one").nOut(4).biasInit(1).build())
                .layer(output())
                .setInputType(InputType.feedForward(3))
                .build());
    network.init();
    network.getLayer(0).getParam("W").assign(0);
    QuantizedModel model =
        quantization(network, 4).calibrate(Nd4j.rand(DataType.DOUBLE, 40, 3)).convert();
    assertEquals(ImmutableSet.of(), logarithmic(model));
  }

  @Test
  void otherValuesStrategiesAndLayersAreAsBefore() {
    INDArray input = images(40);
    QuantizedModel uniform =
        Quantization.of(graph()).weightBits(5).activationBits(4).calibrate(input).convert();
    QuantizedModel model = quantization(graph(), 4).calibrate(input).convert();
    assertEquals(uniform.activations().get("mixed"), model.activations().get("mixed"));
    assertEquals(uniform.activations().get("norm"), model.activations().get("norm"));
    QuantizedModel searched =
        quantization(graph(), 4).strategy(FormatStrategy.automatic()).calibrate(input).convert();
    assertEquals(logarithmic(model), logarithmic(searched));
    assertTrue(
        searched.provenance().activationStrategy().matches("auto: .*; logarithmic after .*"),
        searched.provenance().activationStrategy());
  }

  @Test
  void recurrentLayersHaveNone() {
    MultiLayerNetwork network =
        new MultiLayerNetwork(
            base()
                .list()
                .layer(new LSTM.Builder().nOut(5).activation(Activation.TANH).build())
                .layer(new RnnOutputLayer.Builder().nOut(2).activation(Activation.SOFTMAX).build())
                .setInputType(InputType.recurrent(3, 6))
                .build());
    network.init();
    QuantizedModel model =
        quantization(network, 4).calibrate(Nd4j.rand(DataType.DOUBLE, 40, 3, 6)).convert();
    assertEquals(ImmutableSet.of(), logarithmic(model));
  }

  @Test
  void whatCannotBeIsRefused() {
    INDArray input = images(40);
    String late =
        assertThrows(
                IllegalArgumentException.class,
                () ->
                    Quantization.of(layers())
                        .calibrate(input)
                        .logarithmicActivations(LogarithmicActivations.DEFAULT)
                        .convert())
            .getMessage();
    assertEquals(
        "calibration must have seen the logarithms of values: ask for them before it, found none"
            + " of 'relu'",
        late);
    Quantization without =
        Quantization.of(layers()).logarithmicActivations(LogarithmicActivations.DEFAULT);
    assertEquals(
        "logarithmic activations take a calibration",
        assertThrows(IllegalStateException.class, without::convert).getMessage());
    String affine =
        assertThrows(
                IllegalArgumentException.class,
                () -> quantization(layers(), 4).scheme(Scheme.AFFINE).calibrate(input).convert())
            .getMessage();
    assertEquals(
        "scheme must be fixed-point if activations are to be logarithmic, found affine", affine);
    assertEquals(
        "gridBits must be between 8 and 16, found 17",
        assertThrows(IllegalArgumentException.class, () -> new LogarithmicActivations(17))
            .getMessage());
  }

  @Test
  void theReportTellsWhichValuesHaveLevels() {
    QuantizedModel model = quantization(layers(), 4).calibrate(images(40)).convert();
    QuantizationReport report = QuantizationReport.of(model);
    String table = report.table();
    assertTrue(table.contains("; logarithmic after a ReLU on grids of 8 bits\n"), table);
    for (String layer : List.of("relu", "six", "dense")) {
      String line = table.lines().filter(own -> own.startsWith(layer + " ")).findFirst().get();
      assertTrue(line.matches(".* 4 +log \\d\\.\\d+-\\d\\.\\d+ .*"), line);
    }
    LogFormat levels = model.activations().get("relu").levels().orElseThrow();
    JsonNode json = report.toJson().get(2);
    assertEquals("relu", json.get("name").asText());
    assertEquals(4, json.get("valueBits").asInt());
    assertEquals(levels.offset(), json.at("/valueLevels/offset").asInt());
    assertEquals(8, json.at("/valueLevels/gridBits").asInt());
    assertTrue(report.toJson().get(5).path("valueLevels").isMissingNode());
  }

  @Test
  void levelsAreSearchedAgain() {
    INDArray input = images(40);
    ComputationGraph network = graph();
    QuantizedModel model = quantization(network, 4).calibrate(input).convert();
    CalibrationResult other =
        Calibration.of(Dl4jNetwork.of(network)).withLogarithms().run(images(40).muli(3));
    QuantizedModel changed = model.withLevels(other.logarithms());
    assertEquals(logarithmic(model), logarithmic(changed));
    assertFalse(changed.activations().get("stem").equals(model.activations().get("stem")));
    assertEquals(changed.activations().get("stem"), changed.activations().get("both"));
    assertEquals(model.activations().get("norm"), changed.activations().get("norm"));
    assertEquals(model.provenance(), changed.provenance());
    ConversionTest.assertSameCodes("again", changed, input);
    assertEquals(model, model.withLevels(ImmutableMap.of()));
    LogBins stem = other.logarithms("stem").orElseThrow();
    assertEquals(model, model.withLevels(ImmutableMap.of("stem", stem)), "left is tied to it");
  }
}
