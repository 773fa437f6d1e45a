package org.dl4jquant.onnxlayers;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.IntUnaryOperator;
import org.deeplearning4j.nn.conf.RNNFormat;
import org.deeplearning4j.nn.conf.layers.AbstractLSTM;
import org.deeplearning4j.nn.conf.layers.BaseRecurrentLayer;
import org.deeplearning4j.nn.conf.layers.GravesBidirectionalLSTM;
import org.deeplearning4j.nn.conf.layers.GravesLSTM;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.deeplearning4j.nn.conf.layers.recurrent.Bidirectional;
import org.deeplearning4j.nn.conf.layers.recurrent.LastTimeStep;
import org.deeplearning4j.nn.conf.layers.recurrent.SimpleRnn;
import org.dl4jquant.graph.Shape;
import org.dl4jquant.internal.Checks;
import org.nd4j.linalg.activations.IActivation;

/**
 * Writes recurrent layers as ONNX's LSTM and RNN, one node per direction. Between nodes, sequences
 * are {@code [time, batch, features]}.
 */
@SuppressWarnings("deprecation") // users still have networks of the old kinds
record RecurrentWriter(Pen pen, Constants constants) {
  /** DL4J's blocks of columns are candidate, forget, output, input; ONNX's rows are these. */
  private static final int[] LSTM_BLOCKS = {3, 2, 1, 0};

  /** Behind the four blocks, GravesLSTM has a column for forget, output and input gate. */
  private static final int[] PEEPHOLES = {2, 1, 0};

  private static final int[] ONE_BLOCK = {0};

  /** How the keys of a direction differ from those of a plain layer. */
  private record Direction(String before, String after, String onnx) {
    static final Direction FORWARD = new Direction("", "", "forward");

    String key(String plain) {
      return before + plain + after;
    }
  }

  String write(Layer layer) {
    Layer kind = layer instanceof LastTimeStep wrapper ? wrapper.getUnderlying() : layer;
    boolean channelsLast = format(kind) == RNNFormat.NWC;
    Shape in = pen.target().inputShapes().get(0);
    Checks.that(in.rank() == 2, "input", "be a sequence", in);
    String x = pen.target().inputs().get(0);
    String steps = channelsLast ? pen.transposed(x, 1, 0, 2) : pen.transposed(x, 2, 0, 1);
    String result = sequence(kind, steps);
    if (layer instanceof LastTimeStep) {
      return pen.last(result, 0);
    }
    return channelsLast ? pen.transposed(result, 1, 0, 2) : pen.transposed(result, 1, 2, 0);
  }

  private static IllegalArgumentException unknown(Layer layer) {
    String pooling = layer instanceof SubsamplingLayer pool ? " by " + pool.getPoolingType() : "";
    return new IllegalArgumentException(
        "nothing in ONNX is known for layers of kind "
            + layer.getClass().getSimpleName()
            + pooling);
  }

  private static RNNFormat format(Layer layer) {
    if (layer instanceof Bidirectional both) {
      return both.getRNNDataFormat();
    }
    if (layer instanceof BaseRecurrentLayer recurrent) {
      return recurrent.getRnnDataFormat();
    }
    throw unknown(layer);
  }

  private String sequence(Layer layer, String steps) {
    if (layer instanceof Bidirectional both) {
      String forward = oneWay(both.getFwd(), new Direction("f", "", "forward"), steps);
      String backward = oneWay(both.getBwd(), new Direction("b", "", "reverse"), steps);
      return switch (both.getMode()) {
        case ADD -> pen.node("Add", forward, backward);
        case MUL -> pen.node("Mul", forward, backward);
        case AVERAGE -> pen.multiply(pen.node("Add", forward, backward), 0.5);
        case CONCAT -> pen.concatenated(2, forward, backward);
      };
    }
    if (layer instanceof GravesBidirectionalLSTM both) {
      IActivation gate = both.getGateActivationFn();
      String forward = lstm(both, gate, true, new Direction("", "F", "forward"), steps);
      String backward = lstm(both, gate, true, new Direction("", "B", "reverse"), steps);
      return pen.node("Add", forward, backward);
    }
    return oneWay(layer, Direction.FORWARD, steps);
  }

  private String oneWay(Layer layer, Direction direction, String steps) {
    if (layer.getClass() == LSTM.class || layer.getClass() == GravesLSTM.class) {
      AbstractLSTM lstm = (AbstractLSTM) layer;
      boolean peepholes = layer instanceof GravesLSTM;
      return lstm(lstm, lstm.getGateActivationFn(), peepholes, direction, steps);
    }
    if (layer instanceof SimpleRnn rnn) {
      Checks.that(!rnn.isHasLayerNorm(), "layer", "have no layer normalization", "one with it");
      List<String> inputs = inputs(steps, rnn, ONE_BLOCK, 0, direction);
      return run("RNN", inputs, rnn, CellFunctions.of(rnn.getActivationFn()), direction);
    }
    throw unknown(layer);
  }

  private String lstm(
      BaseRecurrentLayer layer,
      IActivation gate,
      boolean peepholes,
      Direction direction,
      String steps) {
    int units = Math.toIntExact(layer.getNOut());
    int extra = peepholes ? PEEPHOLES.length : 0;
    List<String> inputs = inputs(steps, layer, LSTM_BLOCKS, extra, direction);
    if (peepholes) {
      int blocks = LSTM_BLOCKS.length * units;
      IntUnaryOperator source = i -> i % units * (blocks + extra) + blocks + PEEPHOLES[i / units];
      inputs.addAll(List.of("", "", ""));
      inputs.add(constants.floats(direction.key("RW"), source, 1, (long) extra * units));
    }
    IActivation function = layer.getActivationFn();
    return run("LSTM", inputs, layer, CellFunctions.of(gate, function, function), direction);
  }

  /**
   * Returns the steps, W, R and B, in rows of ONNX's blocks.
   *
   * @param extra columns of the recurrent weights behind the blocks
   */
  private List<String> inputs(
      String steps, BaseRecurrentLayer layer, int[] blocks, int extra, Direction direction) {
    int units = Math.toIntExact(layer.getNOut());
    int width = Math.toIntExact(layer.getNIn());
    int rows = blocks.length * units;
    IntUnaryOperator order = row -> blocks[row / units] * units + row % units;
    String bias = direction.key("b");
    float[] given = constants.parameter(bias).values();
    float[] both = new float[2 * rows];
    for (int row = 0; row < rows; row++) {
      both[row] = given[order.applyAsInt(row)];
    }
    List<String> inputs = new ArrayList<>();
    inputs.add(steps);
    inputs.add(rows(direction.key("W"), order, rows, width, rows));
    inputs.add(rows(direction.key("RW"), order, rows, units, rows + extra));
    inputs.add(pen.target().floats(bias, both, 1, 2L * rows));
    return inputs;
  }

  /** Turns DL4J's {@code [width, columns]} into {@code [1, rows, width]}. */
  private String rows(String key, IntUnaryOperator order, int rows, int width, int columns) {
    IntUnaryOperator source = i -> i % width * columns + order.applyAsInt(i / width);
    return constants.weight(key, 1, source, 1, rows, width);
  }

  private String run(
      String type,
      List<String> inputs,
      BaseRecurrentLayer layer,
      CellFunctions functions,
      Direction direction) {
    Map<String, Object> attributes = new TreeMap<>();
    attributes.put("hidden_size", layer.getNOut());
    attributes.put("direction", direction.onnx());
    attributes.put("activations", functions.names());
    // ONNX Runtime crashes on empty lists.
    if (functions.alphas().length > 0) {
      attributes.put("activation_alpha", functions.alphas());
    }
    if (functions.betas().length > 0) {
      attributes.put("activation_beta", functions.betas());
    }
    return pen.squeezed(pen.target().node(type, inputs, attributes), 1);
  }
}
