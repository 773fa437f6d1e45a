package org.dl4jquant.listeners;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.util.ModelSerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.Sgd;

final class LimitedPrecisionCheckpointTest {
  @TempDir Path directory;

  private static ResidualGradientListener listener() {
    return ResidualGradientListener.builder().layers("first", "head").build();
  }

  private static void train(MultiLayerNetwork network, int from, int to) {
    for (int i = from; i < to; i++) {
      network.fit(TestNetworks.batch(i));
    }
  }

  @Test
  void interruptedRunEndsWithTheSameBits() throws IOException {
    MultiLayerNetwork whole = TestNetworks.network(new Adam(1e-3));
    ResidualGradientListener carried = listener();
    carried.attachTo(whole);
    train(whole, 0, 20);

    MultiLayerNetwork first = TestNetworks.network(new Adam(1e-3));
    ResidualGradientListener before = listener();
    before.attachTo(first);
    train(first, 0, 9);
    Path model = directory.resolve("model.zip");
    Path residuals = directory.resolve("model.residuals");
    ModelSerializer.writeModel(first, model.toFile(), true);
    before.save(residuals);

    MultiLayerNetwork second = ModelSerializer.restoreMultiLayerNetwork(model.toFile(), true);
    ResidualGradientListener after = listener();
    after.restore(residuals, second);
    train(second, 9, 20);

    assertArrayEquals(whole.params().data().asFloat(), second.params().data().asFloat());
    for (String layer : new String[] {"first", "head"}) {
      assertEquals(
          carried.fineWeights(layer, "W").orElseThrow(),
          after.fineWeights(layer, "W").orElseThrow());
    }
  }

  private Path saved() throws IOException {
    MultiLayerNetwork network = TestNetworks.network(new Sgd(0.1));
    ResidualGradientListener listener = listener();
    listener.attachTo(network);
    train(network, 0, 2);
    Path file = directory.resolve("saved.residuals");
    listener.save(file);
    return file;
  }

  @Test
  void anotherNetworkIsRefusedWithNamesAndShapes() throws IOException {
    Path file = saved();
    MultiLayerNetwork other =
        new MultiLayerNetwork(
            new NeuralNetConfiguration.Builder()
                .list()
                .layer(TestNetworks.dense(6, 7).name("first").build())
                .layer(TestNetworks.output(7))
                .build());
    other.init();
    IllegalArgumentException thrown =
        assertThrows(IllegalArgumentException.class, () -> listener().restore(file, other));
    assertEquals(
        file + ": the network must have first.W [6, 8], found first.W [6, 7]", thrown.getMessage());
    MultiLayerNetwork renamed =
        new MultiLayerNetwork(
            new NeuralNetConfiguration.Builder()
                .list()
                .layer(TestNetworks.dense(6, 8).name("alpha").build())
                .layer(TestNetworks.output(8))
                .build());
    renamed.init();
    thrown = assertThrows(IllegalArgumentException.class, () -> listener().restore(file, renamed));
    assertEquals(
        file
            + ": the network must have first.W [6, 8], found [alpha.W [6, 8], alpha.b [8],"
            + " head.W [8, 3], head.b [3]]",
        thrown.getMessage());
  }

  @Test
  void anotherMomentOfTheNetworkIsRefused() throws IOException {
    Path file = saved();
    MultiLayerNetwork other = TestNetworks.network(new Sgd(0.1));
    IllegalArgumentException thrown =
        assertThrows(IllegalArgumentException.class, () -> listener().restore(file, other));
    assertTrue(
        thrown.getMessage().contains("must have the weights it had when the file was written"));
  }

  @Test
  void otherSettingsAreRefused() throws IOException {
    Path file = saved();
    MultiLayerNetwork network = TestNetworks.network(new Sgd(0.1));
    ResidualGradientListener wide =
        ResidualGradientListener.builder().layers("first", "head").bitWidth(12).build();
    IllegalArgumentException thrown =
        assertThrows(IllegalArgumentException.class, () -> wide.restore(file, network));
    assertTrue(
        thrown.getMessage().contains("first.W must be carried in 12 bits"), thrown.getMessage());
  }
}
