package org.dl4jquant.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.google.common.base.Splitter;
import com.google.common.collect.ImmutableMap;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import javax.xml.parsers.DocumentBuilderFactory;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration.GraphBuilder;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.dl4jquant.Quantization;
import org.dl4jquant.QuantizedModel;
import org.dl4jquant.strategy.FormatStrategy;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;

final class QuantizationReportTest {
  private static final String ODD = "conv <script>alert('1')</script> & \"co\"";

  private static ComputationGraph network() {
    return network(Activation.IDENTITY);
  }

  private static ComputationGraph network(Activation activation) {
    GraphBuilder builder =
        new NeuralNetConfiguration.Builder()
            .seed(3)
            .graphBuilder()
            .addInputs("in")
            .setInputTypes(InputType.convolutional(8, 8, 2))
            .addLayer(
                ODD,
                new ConvolutionLayer.Builder(3, 3)
                    .nOut(6)
                    .activation(activation)
                    .hasBias(false)
                    .build(),
                "in")
            .addLayer("norm", new BatchNormalization(), ODD)
            .addLayer("relu", new ActivationLayer(Activation.RELU), "norm")
            .addLayer(
                "out",
                new OutputLayer.Builder().nOut(3).activation(Activation.SOFTMAX).build(),
                "relu")
            .setOutputs("out");
    ComputationGraph network = new ComputationGraph(builder.build());
    network.init();
    return network;
  }

  private static QuantizedModel converted(FormatStrategy strategy) {
    INDArray seen = Nd4j.rand(DataType.FLOAT, 64, 2, 8, 8);
    return Quantization.of(network()).strategy(strategy).calibrate(seen).convert();
  }

  @Test
  void foldedBatchNormIsListedWithItsProducer() {
    QuantizationReport report = converted(FormatStrategy.minMse()).report();

    JsonNode norm = report.toJson().get(1);
    assertEquals(ODD, norm.get("foldedInto").textValue());
    assertTrue(norm.get("bits").isNull());
    assertTrue(report.toJson().get(0).get("foldedInto").isNull());
    String line =
        report.table().lines().filter(each -> each.startsWith("norm ")).findFirst().orElseThrow();
    assertTrue(line.contains("BatchNormalization"), line);
    assertTrue(line.endsWith("folded into " + ODD), line);
  }

  @Test
  void aNormalizationThatStandsAloneIsListedWithTheBitsOfItsFactors() {
    Quantization start = Quantization.of(network(Activation.RELU));
    LayerRow norm =
        start.calibrate(Nd4j.rand(DataType.FLOAT, 64, 2, 8, 8)).convert().report().rows().get(1);
    assertEquals("BatchNormalization", norm.kind());
    assertEquals(16, norm.bits());
    assertEquals("", norm.floatReason());
    assertTrue(norm.minFractionalLength().isPresent());
    assertTrue(norm.sqnrDb() > 80, () -> norm.sqnrDb() + " dB");

    LayerRow floats = start.convert().report().rows().get(1);
    assertEquals(32, floats.bits());
    assertEquals("normalization statistics stay as they are", floats.floatReason());
  }

  @Test
  void strategiesAndFamiliesAreNamedAndTravelWithTheModel(@TempDir Path folder) {
    QuantizedModel model = converted(FormatStrategy.pdfAware());
    QuantizationReport report = model.report();

    String family = report.toJson().get(2).get("family").textValue();
    // codes are made after the activation function: each channel is of one family
    int channels = 0;
    for (String part : Splitter.on(", ").split(family)) {
      channels += Integer.parseInt(part.substring(part.lastIndexOf(' ') + 1));
    }
    assertEquals(5, channels, family + ": the sixth never exceeds zero");
    assertTrue(report.table().contains("formats of weights by min-mse"), report.table());
    assertTrue(report.table().contains("; of values by pdf\n"), report.table());
    assertTrue(report.table().contains("relu: values distributed as " + family), report.table());
    assertTrue(report.toJson().get(3).get("family").isNull(), "outputs are given room instead");
    assertTrue(report.toHtml().contains("<td>" + family + "</td>"));
    assertEquals(Set.of("in", "relu"), model.provenance().families().keySet());
    Path file = folder.resolve("model.dq.zip");
    model.save(file);
    assertEquals(model.provenance(), QuantizedModel.load(file).provenance());

    QuantizationReport plain = converted(FormatStrategy.minMse()).report();
    assertTrue(plain.toJson().get(0).get("family").isNull());
    assertFalse(plain.toHtml().contains("family"));
  }

  @Test
  void anAutomaticChoiceNamesFamiliesWhereItTookThem() {
    QuantizedModel model = converted(FormatStrategy.automatic());

    String text = model.provenance().activationStrategy();
    boolean everywhere = text.endsWith("all pdf") || text.endsWith("others pdf");
    assertEquals(
        everywhere || text.contains(" pdf,"), !model.provenance().families().isEmpty(), text);
  }

  @Test
  void aPageIsWellFormedAndNeedsNothingElse() throws Exception {
    QuantizedModel model = converted(FormatStrategy.minMse());
    QuantizationReport report = model.report().withRaised(ImmutableMap.of("out", "1 < 2"));

    String html = report.toHtml(ImmutableMap.of("File", "<a & b>"));

    for (String foreign :
        List.of("<script", "src=", "href=", "url(", "http:", "https:", "@import")) {
      assertFalse(html.contains(foreign), foreign);
    }
    Document page =
        DocumentBuilderFactory.newInstance()
            .newDocumentBuilder()
            .parse(new ByteArrayInputStream(html.getBytes(StandardCharsets.UTF_8)));
    NodeList lines = page.getElementsByTagName("tr");
    assertEquals(report.rows().size() + 2, lines.getLength());
    Element conv = (Element) lines.item(1);
    assertEquals(ODD, conv.getElementsByTagName("td").item(0).getTextContent());
    assertEquals("8", conv.getElementsByTagName("td").item(3).getTextContent());
    NodeList bars = conv.getElementsByTagName("svg");
    assertEquals(3, bars.getLength(), "bits, SQNR and bytes");
    assertEquals("20.0", bar(bars.item(0)), "8 bits of 32, of 80 pixels");
    LayerRow last = report.rows().get(3);
    double loudest = Math.max(report.rows().get(0).sqnrDb(), last.sqnrDb());
    assertEquals(
        80 * report.rows().get(0).sqnrDb() / loudest, Double.parseDouble(bar(bars.item(1))), 0.06);
    assertEquals(
        80.0 * report.rows().get(0).bytesAfter() / last.bytesBefore(),
        Double.parseDouble(bar(bars.item(2))),
        0.06);
    Element folded = (Element) lines.item(2);
    assertEquals(0, folded.getElementsByTagName("svg").getLength());
    assertEquals("<a & b>", page.getElementsByTagName("dd").item(0).getTextContent());
    assertEquals("out: 1 < 2", page.getElementsByTagName("li").item(0).getTextContent());
  }

  @Test
  void aPageOfANetworkWithoutParametersIsWellFormed() throws Exception {
    ComputationGraph network =
        new ComputationGraph(
            new NeuralNetConfiguration.Builder()
                .graphBuilder()
                .addInputs("in")
                .setInputTypes(InputType.feedForward(4))
                .addLayer("relu", new ActivationLayer(Activation.RELU), "in")
                .setOutputs("relu")
                .build());
    network.init();
    String html = Quantization.of(network).convert().report().toHtml();

    DocumentBuilderFactory.newInstance()
        .newDocumentBuilder()
        .parse(new ByteArrayInputStream(html.getBytes(StandardCharsets.UTF_8)));
    assertTrue(html.contains("none: values stay float"), html);
  }

  private static String bar(org.w3c.dom.Node svg) {
    NodeList rectangles = ((Element) svg).getElementsByTagName("rect");
    return ((Element) rectangles.item(rectangles.getLength() - 1)).getAttribute("width");
  }
}
