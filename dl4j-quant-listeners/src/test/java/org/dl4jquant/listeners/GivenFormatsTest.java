package org.dl4jquant.listeners;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.Convolution1DLayer;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.util.ModelSerializer;
import org.dl4jquant.dl4j.Dl4jNetwork;
import org.dl4jquant.dl4j.Dl4jParameter;
import org.dl4jquant.format.FixedPointFormat;
import org.dl4jquant.format.Granularity;
import org.dl4jquant.stats.DifferenceAggregate;
import org.dl4jquant.stats.TrainingCycle;
import org.dl4jquant.update.ReadOut;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.Sgd;

/** Weights that are carried in formats of their own, channel by channel. */
final class GivenFormatsTest {
  private static final Granularity COLUMNS = Granularity.perChannel(1);

  @TempDir Path directory;

  /** Of every channel another length. */
  private static List<FixedPointFormat> formats(int bits, int channels) {
    return IntStream.range(0, channels)
        .mapToObj(c -> new FixedPointFormat(bits, bits - 2 + c % 4, true, true))
        .toList();
  }

  private static double[] rowMajor(INDArray array) {
    return array.dup('c').data().asDouble();
  }

  @Test
  void everyChannelStaysOnItsGridAndLosesNoUpdate() {
    for (ReadOut readOut : List.of(ReadOut.NEAREST, ReadOut.FLOOR, ReadOut.TRUNC_THRESHOLD)) {
      MultiLayerNetwork network = TestNetworks.network(new Adam(1e-3));
      List<FixedPointFormat> formats = formats(6, 8);
      double[] start = rowMajor(network.getParam("0_W"));
      LimitedPrecisionListenerTest.UpdateSum sum =
          new LimitedPrecisionListenerTest.UpdateSum("0_W");
      network.addListeners(sum);
      LimitedPrecisionListener listener = listener(readOut, formats);
      listener.attachTo(network);
      network.fit(TestNetworks.batches(5), 4);

      assertEquals(Set.of("first.W"), listener.carried().keySet());
      double[] coarse = rowMajor(network.getParam("0_W"));
      double[] fine = rowMajor(listener.fineWeights("first", "W").orElseThrow());
      int steps = 0;
      for (int i = 0; i < coarse.length; i++) {
        FixedPointFormat own = formats.get(i % 8);
        assertEquals(own.fakeQuantize(coarse[i]), coarse[i], "element " + i);
        assertTrue(Math.abs(fine[i] - coarse[i]) < own.scale(), readOut + ", element " + i);
        double clipped = Math.max(own.minValue(), Math.min(own.maxValue(), start[i]));
        if (clipped == start[i] && Math.abs(fine[i]) < own.maxValue() - own.scale()) {
          assertEquals(
              start[i] - sum.sum[i], fine[i], 21 * own.scale() / (1 << 12), "element " + i);
          steps++;
        }
      }
      assertTrue(steps > coarse.length / 2, steps + " weights inside their range");
      assertEquals(0, listener.statistics().get("first.W").outside());
    }
  }

  private static LimitedPrecisionListener listener(
      ReadOut readOut, List<FixedPointFormat> formats) {
    return readOut == ReadOut.TRUNC_THRESHOLD
        ? AccumulatedUpdateListener.builder().formats("first", "W", COLUMNS, formats).build()
        : ResidualGradientListener.builder()
            .readOut(readOut)
            .formats("first", "W", COLUMNS, formats)
            .build();
  }

  @Test
  void memoryOfEveryOrderHasItsChannels() {
    for (DataType type : new DataType[] {DataType.FLOAT, DataType.DOUBLE}) {
      InputType image = InputType.convolutional(5, 5, 2);
      check(type, new ConvolutionLayer.Builder(3, 3).nOut(4).name("own").build(), image);
      InputType series = InputType.recurrent(3, 7);
      check(type, new Convolution1DLayer.Builder(2).nOut(4).name("own").build(), series);
    }
  }

  private static void check(DataType type, Layer layer, InputType input) {
    MultiLayerNetwork network =
        new MultiLayerNetwork(
            TestNetworks.configuration(new Sgd(5))
                .dataType(type)
                .list()
                .layer(layer)
                .layer(new GlobalPoolingLayer.Builder().build())
                .layer(TestNetworks.output(4))
                .setInputType(input)
                .build());
    network.init();
    Dl4jParameter weights = Dl4jNetwork.of(network).layers().get(0).parameters().get(0);
    Granularity granularity = weights.layout().granularity();
    int[] shape = weights.layout().shape().stream().mapToInt(Integer::intValue).toArray();
    List<FixedPointFormat> formats = formats(4, granularity.channels(shape));
    ResidualGradientListener listener =
        ResidualGradientListener.builder()
            .formats("own", weights.key(), granularity, formats)
            .build();
    listener.attachTo(network);
    float[] before = weights.tensor().values();
    INDArray features =
        Nd4j.rand(
            type,
            input instanceof InputType.InputTypeRecurrent
                ? new long[] {8, 3, 7}
                : new long[] {8, 2, 5, 5});
    INDArray labels = Nd4j.eye(3).getRows(0, 1, 2, 0, 1, 2, 0, 1).castTo(type);
    for (int i = 0; i < 20; i++) {
      network.fit(new DataSet(features, labels));
    }
    float[] after = weights.tensor().values();
    int[] channels = granularity.channelOfEach(shape);
    int moved = 0;
    for (int i = 0; i < after.length; i++) {
      assertEquals(formats.get(channels[i]).fakeQuantize(after[i]), after[i], "element " + i);
      moved += after[i] == before[i] ? 0 : 1;
    }
    assertTrue(moved > 0, "no weight of " + layer.getClass() + " moved");
  }

  @Test
  void interruptedRunEndsWithTheSameBits() throws IOException {
    MultiLayerNetwork whole = TestNetworks.network(new Adam(1e-3));
    listener(ReadOut.NEAREST, formats(5, 8)).attachTo(whole);
    MultiLayerNetwork first = TestNetworks.network(new Adam(1e-3));
    LimitedPrecisionListener before = listener(ReadOut.NEAREST, formats(5, 8));
    before.attachTo(first);
    for (int i = 0; i < 20; i++) {
      whole.fit(TestNetworks.batch(i));
    }
    for (int i = 0; i < 9; i++) {
      first.fit(TestNetworks.batch(i));
    }
    Path model = directory.resolve("model.zip");
    Path residuals = directory.resolve("model.residuals");
    ModelSerializer.writeModel(first, model.toFile(), true);
    before.save(residuals);
    MultiLayerNetwork second = ModelSerializer.restoreMultiLayerNetwork(model.toFile(), true);
    assertThrows(
        IllegalArgumentException.class,
        () -> listener(ReadOut.NEAREST, formats(4, 8)).restore(residuals, second));
    List<FixedPointFormat> lastDiffers = new ArrayList<>(formats(5, 8));
    lastDiffers.set(7, lastDiffers.get(7).withFractionalLength(4));
    assertEquals(
        residuals
            + ": the channels of first.W must have the fractional lengths"
            + " [3, 4, 5, 6, 3, 4, 5, 4], found [3, 4, 5, 6, 3, 4, 5, 6]",
        assertThrows(
                IllegalArgumentException.class,
                () -> listener(ReadOut.NEAREST, lastDiffers).restore(residuals, second))
            .getMessage());
    ResidualGradientListener none =
        ResidualGradientListener.builder().bitWidth(5).layers("first").build();
    assertThrows(IllegalArgumentException.class, () -> none.restore(residuals, second));
    listener(ReadOut.NEAREST, formats(5, 8)).restore(residuals, second);
    for (int i = 9; i < 20; i++) {
      second.fit(TestNetworks.batch(i));
    }
    assertArrayEquals(whole.params().data().asFloat(), second.params().data().asFloat());
  }

  @Test
  void formatsThatDoNotFitAreRefused() {
    ResidualGradientListener.Builder builder = ResidualGradientListener.builder();
    List<FixedPointFormat> mixed =
        List.of(FixedPointFormat.signed(4, 3), FixedPointFormat.signed(5, 3));
    assertThrows(
        IllegalArgumentException.class, () -> builder.formats("first", "W", COLUMNS, mixed));
    assertThrows(
        IllegalArgumentException.class, () -> builder.formats("first", "W", COLUMNS, List.of()));
    builder.formats("first", "W", COLUMNS, formats(4, 7));
    ResidualGradientListener few = builder.build();
    assertTrue(
        assertThrows(
                IllegalArgumentException.class,
                () -> few.attachTo(TestNetworks.network(new Sgd(0.1))))
            .getMessage()
            .contains("first.W must have as many channels as formats, 7, found 8"));
    ResidualGradientListener unknown =
        ResidualGradientListener.builder().formats("last", "W", COLUMNS, formats(4, 8)).build();
    assertThrows(
        IllegalArgumentException.class, () -> unknown.attachTo(TestNetworks.network(new Sgd(0.1))));
  }

  @Test
  void weightDifferencesAreThoseOfTheFineWeights() {
    MultiLayerNetwork network = TestNetworks.network(new Sgd(1e-5));
    ResidualGradientListener carried =
        ResidualGradientListener.builder().bitWidth(5).extraBits(20).build();
    carried.attachTo(network);
    WeightDifferenceListener watching =
        WeightDifferenceListener.builder().cycle(TrainingCycle.Unit.EPOCH).build();
    network.addListeners(watching);
    INDArray coarse = network.getParam("0_W").dup();
    double[] before = rowMajor(carried.fineWeights("first", "W").orElseThrow());
    network.fit(TestNetworks.batches(3), 1);
    assertEquals(coarse, network.getParam("0_W"));
    double[] after = rowMajor(carried.fineWeights("first", "W").orElseThrow());
    double squares = 0;
    for (int i = 0; i < before.length; i++) {
      squares += (after[i] - before[i]) * (after[i] - before[i]);
    }
    double seen = watching.snapshot().statistic("first", DifferenceAggregate.MEAN_OVER_CYCLES);
    assertTrue(squares > 0);
    assertEquals(squares / before.length, seen, 1e-3 * squares);
  }
}
