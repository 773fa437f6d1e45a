package org.dl4jquant.dl4j;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.common.collect.ImmutableList;
import java.util.List;
import java.util.Map;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.RNNFormat;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.GravesLSTM;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.recurrent.Bidirectional;
import org.deeplearning4j.nn.conf.layers.recurrent.LastTimeStep;
import org.deeplearning4j.nn.conf.layers.recurrent.SimpleRnn;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.graph.FloatFunction;
import org.dl4jquant.graph.Node;
import org.dl4jquant.tensor.Tensor;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.factory.Nd4j;

final class RecurrentCellsTest {
  private static final int FEATURES = 3;
  private static final int STEPS = 5;
  private static final int UNITS = 4;

  private static FloatFunction function(Layer layer, RNNFormat format) {
    MultiLayerNetwork network =
        new MultiLayerNetwork(
            new NeuralNetConfiguration.Builder()
                .seed(3)
                .list()
                .layer(layer)
                .setInputType(InputType.recurrent(FEATURES, STEPS, format))
                .build());
    network.init();
    network.params().assign(Nd4j.randn(network.params().shape()).muli(0.5));
    return GraphReader.read(Dl4jNetwork.of(network)).graph().nodes().stream()
        .map(Node::op)
        .filter(FloatFunction.class::isInstance)
        .map(FloatFunction.class::cast)
        .findFirst()
        .orElseThrow();
  }

  private static Tensor input(RNNFormat format) {
    return Tensors.of(
        format == RNNFormat.NCW ? Nd4j.randn(2, FEATURES, STEPS) : Nd4j.randn(2, STEPS, FEATURES));
  }

  private static SimpleRnn simple(RNNFormat format) {
    return new SimpleRnn.Builder()
        .nOut(UNITS)
        .activation(Activation.TANH)
        .dataFormat(format)
        .build();
  }

  @Test
  @SuppressWarnings("deprecation") // users still have networks of the old kinds
  void theOutputIsThatOfTheGraph() {
    LSTM lstm = new LSTM.Builder().nOut(UNITS).build();
    List<Layer> layers =
        List.of(
            lstm,
            new LastTimeStep(lstm),
            new GravesLSTM.Builder().nOut(UNITS).build(),
            new Bidirectional(Bidirectional.Mode.CONCAT, lstm),
            new Bidirectional(Bidirectional.Mode.ADD, simple(RNNFormat.NCW)),
            new LastTimeStep(new Bidirectional(Bidirectional.Mode.CONCAT, lstm)));
    for (Layer layer : layers) {
      FloatFunction function = function(layer, RNNFormat.NCW);
      Tensor input = input(RNNFormat.NCW);
      assertArrayEquals(
          function.kernel().apply(ImmutableList.of(input)).values(),
          RecurrentCells.of(function).orElseThrow().output(input).values(),
          1e-6f,
          layer.toString());
    }
  }

  /** A simple cell is what its two products say: {@code tanh(x W + h RW + b)}. */
  private static void assertProducts(RNNFormat format, boolean both) {
    Layer layer =
        both ? new Bidirectional(Bidirectional.Mode.CONCAT, simple(format)) : simple(format);
    FloatFunction function = function(layer, format);
    RecurrentCells cells = RecurrentCells.of(function).orElseThrow();
    Tensor input = input(format);
    Tensor output = cells.output(input);
    int units = both ? 2 * UNITS : UNITS;
    for (int cell = 0; cell < (both ? 2 : 1); cell++) {
      RecurrentCells.Product x = cells.ofInputs(input).get(cell);
      RecurrentCells.Product h = cells.ofStates(input).get(cell);
      assertEquals(UNITS, x.columns());
      String before = both ? (cell == 0 ? "f" : "b") : "";
      assertEquals(List.of(before + "W", before + "RW"), List.of(x.key(), h.key()));
      Map<String, Tensor> parameters = cells.parameters();
      for (int row = 0; row < 2 * STEPS; row++) {
        int step = row % STEPS;
        // states are in the order in which a cell goes, inputs in that of the sequence
        int state = cell == 0 ? row : row / STEPS * STEPS + STEPS - 1 - step;
        for (int unit = 0; unit < UNITS; unit++) {
          double sum =
              parameters.get(before + "b").values()[unit]
                  + product(x.met(), row, parameters.get(x.key()), unit)
                  + product(h.met(), state, parameters.get(h.key()), unit);
          int channel = cell * UNITS + unit;
          int at =
              format == RNNFormat.NCW
                  ? (row / STEPS * units + channel) * STEPS + step
                  : row * units + channel;
          assertEquals(Math.tanh(sum), output.values()[at], 1e-5, format + ", " + row);
        }
      }
    }
  }

  private static double product(Tensor rows, int row, Tensor weight, int column) {
    double sum = 0;
    for (int i = 0; i < rows.size(1); i++) {
      sum += rows.values()[row * rows.size(1) + i] * weight.values()[i * weight.size(1) + column];
    }
    return sum;
  }

  @Test
  void theProductsAreThoseOfTheCell() {
    assertProducts(RNNFormat.NCW, false);
    assertProducts(RNNFormat.NWC, false);
    assertProducts(RNNFormat.NCW, true);
    assertProducts(RNNFormat.NWC, true);
  }

  @Test
  void otherParametersGiveOtherOutputs() {
    RecurrentCells cells =
        RecurrentCells.of(function(simple(RNNFormat.NCW), RNNFormat.NCW)).orElseThrow();
    Tensor zero = Tensor.zeros(FEATURES, UNITS);
    Tensor input = input(RNNFormat.NCW);
    float[] without = cells.with(Map.of("W", zero)).output(input).values();
    float[] ofZeros = cells.output(Tensor.zeros(2, FEATURES, STEPS)).values();
    assertArrayEquals(ofZeros, without, 1e-6f);
  }

  @Test
  void aCellThatNormalizesItsSumsIsNone() {
    SimpleRnn normalized = new SimpleRnn.Builder().nOut(UNITS).hasLayerNorm(true).build();
    assertTrue(RecurrentCells.of(function(normalized, RNNFormat.NCW)).isEmpty());
  }
}
