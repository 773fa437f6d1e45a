package org.dl4jquant.export;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.common.collect.ImmutableList;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import org.deeplearning4j.datasets.iterator.ExistingDataSetIterator;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.Quantization;
import org.dl4jquant.convert.ModelContent;
import org.dl4jquant.convert.QuantizedLayer;
import org.dl4jquant.convert.QuantizedModel;
import org.dl4jquant.convert.QuantizedParameter;
import org.dl4jquant.convert.WeightedEntropyCodebooks;
import org.dl4jquant.dl4j.Dl4jNetwork;
import org.dl4jquant.dl4j.FoldedNetwork;
import org.dl4jquant.format.Codebook;
import org.dl4jquant.format.LogFormat;
import org.dl4jquant.format.NumberFormat;
import org.dl4jquant.format.Rounding;
import org.dl4jquant.onnxruntime.OnnxComparison;
import org.dl4jquant.report.QuantizationReport;
import org.dl4jquant.tensor.QuantizedTensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;

final class CodebookArchiveTest {
  @TempDir Path folder;

  private static MultiLayerNetwork network() {
    MultiLayerNetwork network =
        new MultiLayerNetwork(
            new NeuralNetConfiguration.Builder()
                .seed(4)
                .activation(Activation.RELU)
                .list()
                .layer(new ConvolutionLayer.Builder(3, 3).nOut(20).name("conv").build())
                .layer(new OutputLayer.Builder().nOut(3).activation(Activation.SOFTMAX).build())
                .setInputType(InputType.convolutional(8, 8, 2))
                .build());
    network.init();
    return network;
  }

  private static QuantizedModel uniform(MultiLayerNetwork network, INDArray input) {
    return Quantization.of(network).weightBits(3).calibrate(input).convert();
  }

  @Test
  void codebooksComeBackAsTheyWere() throws Exception {
    MultiLayerNetwork network = network();
    INDArray input = Nd4j.rand(5, 2, 8, 8);
    Dl4jNetwork floats = FoldedNetwork.of(Dl4jNetwork.of(network)).network();
    QuantizedModel uniform = uniform(network, input);
    for (WeightedEntropyCodebooks books :
        List.of(
            WeightedEntropyCodebooks.DEFAULT,
            WeightedEntropyCodebooks.DEFAULT.offGrid().withZero(true),
            WeightedEntropyCodebooks.DEFAULT.withPerChannel(false))) {
      QuantizedModel model = books.apply(uniform, floats, layer -> true);
      Path file = folder.resolve("m.dq.zip");
      PackedArchive.write(model, file);
      QuantizedModel read = PackedArchive.read(file);
      assertEquals(model.layers(), read.layers());
      assertEquals(model.output(input), read.output(input));
      assertTrue(read.provenance().weightStrategy().endsWith("weighted entropy"));
      QuantizedTensor codes = read.layers().get(0).parameters().get(1).codes().orElseThrow();
      assertTrue(codes.formats().get(0) instanceof Codebook);
      assertEquals((20 * 2 * 9 * 3 + 7) / 8, codes.packedLength());
      assertTrue(QuantizationReport.of(read).table().contains("conv"));
    }
  }

  @Test
  void levelsOnAGridAreUsedByIntegersAndOthersAreNot() {
    MultiLayerNetwork network = network();
    INDArray input = Nd4j.rand(5, 2, 8, 8);
    Dl4jNetwork floats = FoldedNetwork.of(Dl4jNetwork.of(network)).network();
    QuantizedModel uniform = uniform(network, input);
    var books = WeightedEntropyCodebooks.DEFAULT;
    QuantizedModel on = books.apply(uniform, floats, "conv"::equals);
    QuantizedTensor integers =
        on.toQuantizedGraph().weights("conv/preactivation").orElseThrow().weight();
    assertTrue(integers.bitWidth() <= 8, integers.toString());
    assertArrayEquals(
        on.layers().get(0).parameters().get(1).codes().orElseThrow().dequantize().values(),
        integers.dequantize().values());
    QuantizedModel off = books.offGrid().apply(uniform, floats, "conv"::equals);
    assertTrue(off.toQuantizedGraph().weights("conv/preactivation").isEmpty());
    assertTrue(off.toQuantizedGraph().weights("layer1/preactivation").isPresent());
  }

  @Test
  void otherFormsTakeLevelsOrSayThatTheyDoNot() {
    MultiLayerNetwork network = network();
    INDArray input = Nd4j.rand(5, 2, 8, 8);
    Dl4jNetwork folded = FoldedNetwork.of(Dl4jNetwork.of(network)).network();
    var books = WeightedEntropyCodebooks.DEFAULT;
    QuantizedModel integers = books.apply(uniform(network, input), folded, layer -> true);
    assertTrue(integers.toOnnx().toByteArray().length > 0);
    QuantizedModel weights = Quantization.of(network).weightBits(3).convert();
    QuantizedModel levels = books.offGrid().apply(weights, Dl4jNetwork.of(network), layer -> true);
    DataSet data = new DataSet(input, Nd4j.zeros(5, 3));
    OnnxComparison compared = levels.verifyOnnx(new ExistingDataSetIterator(List.of(data)));
    assertEquals(0, compared.outputDifference(), 1e-5);
  }

  @Test
  void logarithmicFormatsComeBackAsTheyWere() {
    QuantizedModel model = Quantization.of(network()).weightBits(4).convert();
    QuantizedLayer conv = model.layers().get(0);
    QuantizedTensor codes = conv.parameters().get(1).codes().orElseThrow();
    QuantizedTensor logarithmic =
        QuantizedTensor.quantize(
            codes.dequantize(),
            codes.granularity(),
            Collections.nCopies(20, new LogFormat(13, -40, 3)),
            Rounding.HALF_EVEN);
    QuantizedParameter weight =
        new QuantizedParameter(
            "W",
            conv.parameters().get(1).role(),
            Optional.of(logarithmic),
            Optional.empty(),
            "",
            3.5);
    QuantizedLayer other =
        new QuantizedLayer(
            conv.name(), conv.kind(), ImmutableList.of(conv.parameters().get(0), weight));
    QuantizedModel changed =
        new QuantizedModel(
            new ModelContent(
                model.graph(),
                model.configuration(),
                ImmutableList.of(other, model.layers().get(1)),
                model.activations(),
                model.plan(),
                model.provenance(),
                model.attachments(),
                model.content().inputShapes()));
    Path file = folder.resolve("log.dq.zip");
    PackedArchive.write(changed, file);
    assertEquals(changed.layers(), PackedArchive.read(file).layers());
    assertTrue(Files.exists(file));
  }

  @Test
  void brokenFormatsAreRefused() {
    ImmutableList<NumberFormat> books =
        ImmutableList.of(Codebook.of(-1, 0.5, 2).withBitWidth(2), Codebook.of(3).withBitWidth(2));
    byte[] bytes = FormatBytes.write(books);
    assertEquals(FormatBytes.length(FormatBytes.Scheme.CODEBOOK, 2, 4), bytes.length);
    ParameterEntry.Coding coding = coding(4);
    assertEquals(books, FormatBytes.read(bytes, coding));
    byte[] more = Arrays.copyOf(bytes, bytes.length + 1);
    assertThrows(IllegalArgumentException.class, () -> FormatBytes.read(more, coding));
    byte[] less = Arrays.copyOf(bytes, bytes.length - 1);
    assertThrows(IllegalArgumentException.class, () -> FormatBytes.read(less, coding));
    assertThrows(IllegalArgumentException.class, () -> FormatBytes.read(bytes, coding(5)));
    byte[] unordered = bytes.clone();
    unordered[2] = 0x7f;
    assertThrows(IllegalArgumentException.class, () -> FormatBytes.read(unordered, coding));
    byte[] many = bytes.clone();
    many[1] = 4;
    assertThrows(IllegalArgumentException.class, () -> FormatBytes.read(many, coding));
  }

  private static ParameterEntry.Coding coding(int levels) {
    return new ParameterEntry.Coding(
        FormatBytes.Scheme.CODEBOOK, 2, false, false, levels, ImmutableList.of(0), "f");
  }
}
