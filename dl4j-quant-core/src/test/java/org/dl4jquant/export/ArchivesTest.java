package org.dl4jquant.export;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.TimeZone;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.util.ModelSerializer;
import org.dl4jquant.Quantization;
import org.dl4jquant.convert.QuantizedModel;
import org.dl4jquant.dl4j.Dl4jNetwork;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.api.preprocessor.NormalizerStandardize;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.nd4j.linalg.learning.config.Adam;

final class ArchivesTest {
  @TempDir Path folder;

  @Test
  void bothArchivesComputeBitForBitWhatTheModelComputes() {
    for (Model network :
        new Model[] {layers(DataType.FLOAT, 8), layers(DataType.DOUBLE, 8), graph()}) {
      for (int bits : new int[] {2, 4, 8, 16}) {
        QuantizedModel model = Quantization.of(network).weightBits(bits).convert();
        Path packed = folder.resolve("m.dq.zip");
        Path plain = folder.resolve("m.zip");

        PackedArchive.write(model, packed);
        PlainArchive.write(model, plain);

        INDArray input = Nd4j.rand(model.dataType(), 5, 1, 8, 8);
        double[] expected = output(model.network(), input);
        assertArrayEquals(expected, output(PackedArchive.read(packed).network(), input));
        assertArrayEquals(expected, output(Dl4jNetwork.of(restore(plain, model.graph())), input));
        assertEquals(model.plan(), PackedArchive.read(packed).plan());
        assertEquals(model.provenance(), PackedArchive.read(packed).provenance());
      }
    }
  }

  private static double[] output(Dl4jNetwork network, INDArray input) {
    return network.output(input).get(0).dup('c').data().asDouble();
  }

  private static Model restore(Path file, boolean graph) {
    try {
      return graph
          ? ModelSerializer.restoreComputationGraph(file.toFile())
          : ModelSerializer.restoreMultiLayerNetwork(file.toFile());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Test
  void sameModelSameBytesAtAnyTimeInAnyZone() throws IOException {
    NormalizerStandardize normalizer = new NormalizerStandardize();
    normalizer.fit(new DataSet(Nd4j.rand(6, 3), Nd4j.rand(6, 1)));
    TimeZone here = TimeZone.getDefault();
    try {
      for (String zone : new String[] {"Pacific/Kiritimati", "Pacific/Pago_Pago"}) {
        TimeZone.setDefault(TimeZone.getTimeZone(zone));
        QuantizedModel model =
            Quantization.of(layers(DataType.FLOAT, 8)).normalizer(normalizer).convert();
        PackedArchive.write(model, folder.resolve(zone.substring(8) + ".dq.zip"));
        PlainArchive.write(model, folder.resolve(zone.substring(8) + ".zip"));
      }
    } finally {
      TimeZone.setDefault(here);
    }

    for (String kind : new String[] {".dq.zip", ".zip"}) {
      Path first = folder.resolve("Kiritimati" + kind);
      assertEquals(-1, Files.mismatch(first, folder.resolve("Pago_Pago" + kind)), kind);
    }
  }

  @Test
  void thePlainArchiveHasTheEntriesOfDl4jsOwn() throws IOException {
    MultiLayerNetwork network = layers(DataType.FLOAT, 8);
    Path stock = folder.resolve("stock.zip");
    Path plain = folder.resolve("plain.zip");
    QuantizedModel model = Quantization.of(network).keepUpdaterState().convert();
    ModelSerializer.writeModel(model.toNetwork(), stock.toFile(), true);
    PlainArchive.write(model, plain);

    try (ZipFile expected = new ZipFile(stock.toFile());
        ZipFile found = new ZipFile(plain.toFile())) {
      assertEquals(
          expected.stream().map(ZipEntry::getName).toList(),
          found.stream().map(ZipEntry::getName).toList());
      for (ZipEntry entry : Collections.list(expected.entries())) {
        assertArrayEquals(
            expected.getInputStream(entry).readAllBytes(),
            found.getInputStream(found.getEntry(entry.getName())).readAllBytes(),
            entry.getName());
      }
    }
  }

  @Test
  void packingAMillionParametersSavesWhatItPromises() throws IOException {
    MultiLayerNetwork network = layers(DataType.FLOAT, 1100);
    Path floats = folder.resolve("float.zip");
    ModelSerializer.writeModel(network, floats.toFile(), false);
    assertTrue(network.numParams() > 1_000_000);

    assertTrue(share(network, 8, floats) <= 0.27, "8 bit: " + share(network, 8, floats));
    assertTrue(share(network, 4, floats) <= 0.15, "4 bit: " + share(network, 4, floats));
  }

  private double share(Model network, int bits, Path floats) throws IOException {
    Path packed = folder.resolve(bits + ".dq.zip");
    PackedArchive.write(Quantization.of(network).weightBits(bits).convert(), packed);
    return (double) Files.size(packed) / Files.size(floats);
  }

  @Test
  void normalizerAndUpdaterStateTravelAlong() throws IOException {
    MultiLayerNetwork network = layers(DataType.FLOAT, 8);
    DataSet batch =
        new DataSet(
            Nd4j.rand(6, 1, 8, 8),
            Nd4j.eye(6)
                .castTo(DataType.FLOAT)
                .get(NDArrayIndex.all(), NDArrayIndex.interval(0, 3)));
    network.fit(batch);
    NormalizerStandardize normalizer = new NormalizerStandardize();
    normalizer.fit(batch);
    QuantizedModel model =
        Quantization.of(network).normalizer(normalizer).keepUpdaterState().convert();

    PackedArchive.write(model, folder.resolve("m.dq.zip"));
    PlainArchive.write(model, folder.resolve("m.zip"));
    QuantizedModel read = PackedArchive.read(folder.resolve("m.dq.zip"));
    MultiLayerNetwork plain =
        ModelSerializer.restoreMultiLayerNetwork(folder.resolve("m.zip").toFile(), true);

    INDArray state = network.getUpdater().getStateViewArray();
    assertEquals(normalizer, read.attachments().normalizer().orElseThrow());
    assertEquals(state, ((MultiLayerNetwork) read.toNetwork()).getUpdater().getStateViewArray());
    assertEquals(state, plain.getUpdater().getStateViewArray());
    NormalizerStandardize restored =
        ModelSerializer.restoreNormalizerFromFile(folder.resolve("m.zip").toFile());
    assertEquals(normalizer, restored);
  }

  @Test
  void aFailedWriteLeavesTheOldFile() throws IOException {
    QuantizedModel model = Quantization.of(layers(DataType.FLOAT, 8)).convert();
    Path occupied = Files.createDirectories(folder.resolve("d").resolve("m.dq.zip"));
    Files.writeString(occupied.resolve("inside"), "keep");

    UncheckedIOException e =
        assertThrows(UncheckedIOException.class, () -> PackedArchive.write(model, occupied));

    assertTrue(e.getMessage().startsWith(occupied + ": cannot be written"), e.getMessage());
    assertEquals("keep", Files.readString(occupied.resolve("inside")));
    try (Stream<Path> left = Files.list(folder.resolve("d"))) {
      assertEquals(1, left.count());
    }
  }

  private static MultiLayerNetwork layers(DataType type, int width) {
    MultiLayerNetwork network =
        new MultiLayerNetwork(
            new NeuralNetConfiguration.Builder()
                .seed(3)
                .dataType(type)
                .updater(new Adam(0.01))
                .list()
                .layer(new ConvolutionLayer.Builder(3, 3).nOut(8).hasBias(false).build())
                .layer(new BatchNormalization.Builder().build())
                .layer(new DenseLayer.Builder().nOut(width).activation(Activation.RELU).build())
                .layer(new DenseLayer.Builder().nOut(width).activation(Activation.RELU).build())
                .layer(new OutputLayer.Builder().nOut(3).activation(Activation.SOFTMAX).build())
                .setInputType(InputType.convolutional(8, 8, 1))
                .build());
    network.init();
    return network;
  }

  private static ComputationGraph graph() {
    ComputationGraph network =
        new ComputationGraph(
            new NeuralNetConfiguration.Builder()
                .seed(3)
                .graphBuilder()
                .addInputs("in")
                .setInputTypes(InputType.convolutional(8, 8, 1))
                .addLayer("conv", new ConvolutionLayer.Builder(3, 3).nOut(4).build(), "in")
                .addLayer("a", new DenseLayer.Builder().nOut(6).build(), "conv")
                .addLayer("b", new DenseLayer.Builder().nOut(5).build(), "conv")
                .addLayer(
                    "out",
                    new OutputLayer.Builder().nOut(3).activation(Activation.SOFTMAX).build(),
                    "a",
                    "b")
                .setOutputs("out")
                .build());
    network.init();
    return network;
  }
}
