package org.dl4jquant.dl4j;

import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableMap;
import java.util.ArrayList;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.RNNFormat;
import org.deeplearning4j.nn.conf.layers.BaseRecurrentLayer;
import org.deeplearning4j.nn.conf.layers.GravesLSTM;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.recurrent.Bidirectional;
import org.deeplearning4j.nn.conf.layers.recurrent.LastTimeStep;
import org.deeplearning4j.nn.conf.layers.recurrent.SimpleRnn;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.dl4jquant.graph.FloatFunction;
import org.dl4jquant.tensor.Tensor;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * A recurrent layer that a graph runs in float, as sums: what its weights meet at each step. LSTM,
 * GravesLSTM and SimpleRnn, alone, in both directions or before a last step. DL4J computes the
 * states, without masks.
 *
 * <p>Immutable and thread-safe.
 */
@SuppressWarnings("deprecation") // users still have networks of the old kinds
public final class RecurrentCells {
  private final Layer configuration;
  private final ImmutableMap<String, Tensor> parameters;
  private final ImmutableList<Cell> cells;

  private RecurrentCells(
      Layer configuration, ImmutableMap<String, Tensor> parameters, ImmutableList<Cell> cells) {
    this.configuration = configuration;
    this.parameters = parameters;
    this.cells = cells;
  }

  /**
   * The cell of one direction.
   *
   * @param before what stands before the layer's own keys
   */
  private record Cell(BaseRecurrentLayer configuration, String before, boolean backward) {}

  /**
   * A weight and what it meets.
   *
   * @param key of the parameter, whose rows are inputs and whose columns are sums
   * @param columns how many columns are of sums; those behind them are of something else
   * @param met {@code [steps of all examples, inputs]}
   */
  public record Product(String key, int columns, Tensor met) {}

  /** Returns the cells of a function; nothing if it is no recurrent layer of a known kind. */
  public static Optional<RecurrentCells> of(FloatFunction function) {
    if (!(FloatPart.of(function).orElse(null) instanceof FloatPart.OfLayer part)) {
      return Optional.empty();
    }
    Layer kind =
        part.configuration() instanceof LastTimeStep last
            ? Dl4jLayer.unwrap(last)
            : part.configuration();
    ImmutableList.Builder<Cell> cells = ImmutableList.builder();
    if (kind instanceof Bidirectional both) {
      if (!isCell(both.getFwd()) || !isCell(both.getBwd())) {
        return Optional.empty();
      }
      cells.add(new Cell((BaseRecurrentLayer) both.getFwd(), "f", false));
      cells.add(new Cell((BaseRecurrentLayer) both.getBwd(), "b", true));
    } else if (isCell(kind)) {
      cells.add(new Cell((BaseRecurrentLayer) kind, "", false));
    } else {
      return Optional.empty();
    }
    return Optional.of(new RecurrentCells(part.configuration(), part.parameters(), cells.build()));
  }

  private static boolean isCell(Layer kind) {
    if (!(kind instanceof BaseRecurrentLayer recurrent) || recurrent.getWeightNoise() != null) {
      return false; // weights with noise may not be the ones that it computes with
    }
    boolean simple = kind instanceof SimpleRnn rnn && !rnn.isHasLayerNorm();
    return simple || kind.getClass() == LSTM.class || kind.getClass() == GravesLSTM.class;
  }

  /** Returns the parameters by DL4J's keys. */
  public ImmutableMap<String, Tensor> parameters() {
    return parameters;
  }

  /** Returns the same cells with other numbers in some of the parameters. */
  public RecurrentCells with(Map<String, Tensor> others) {
    ImmutableMap<String, Tensor> all =
        ImmutableMap.<String, Tensor>builder().putAll(parameters).putAll(others).buildKeepingLast();
    return new RecurrentCells(configuration, all, cells);
  }

  /** Returns the output of the layer, as the graph's function gives it. */
  public Tensor output(Tensor input) {
    return run(configuration, "", input);
  }

  /** Returns what the weights of the inputs meet, the products of all directions. */
  public ImmutableList<Product> ofInputs(Tensor input) {
    ImmutableList.Builder<Product> products = ImmutableList.builder();
    for (Cell cell : cells) {
      Tensor steps = steps(input, channelsLast(cell));
      products.add(new Product(cell.before() + "W", columns(cell), rows(steps)));
    }
    return products.build();
  }

  /** Returns what the recurrent weights meet: the states before each step. */
  public ImmutableList<Product> ofStates(Tensor input) {
    ImmutableList.Builder<Product> products = ImmutableList.builder();
    for (Cell cell : cells) {
      boolean last = channelsLast(cell);
      Tensor own = cell.backward() ? reversed(input, last) : input;
      Tensor states = run(cell.configuration(), cell.before(), own);
      Tensor before = rows(delayed(steps(states, last)));
      products.add(new Product(cell.before() + "RW", columns(cell), before));
    }
    return products.build();
  }

  private static int columns(Cell cell) {
    int units = Math.toIntExact(cell.configuration().getNOut());
    return cell.configuration() instanceof SimpleRnn ? units : 4 * units;
  }

  private static boolean channelsLast(Cell cell) {
    return cell.configuration().getRnnDataFormat() == RNNFormat.NWC;
  }

  private Tensor run(Layer of, String before, Tensor input) {
    NeuralNetConfiguration own = new NeuralNetConfiguration();
    own.setLayer(of.clone());
    long count = own.getLayer().initializer().numParams(own);
    INDArray flat = Nd4j.zeros(DataType.FLOAT, 1, count);
    org.deeplearning4j.nn.api.Layer run =
        own.getLayer().instantiate(own, new ArrayList<>(), 0, flat, false, DataType.FLOAT);
    run.paramTable(false)
        .forEach(
            (key, array) ->
                Tensors.copyInto(Objects.requireNonNull(parameters.get(before + key)), array));
    run.setInputMiniBatchSize(input.size(0));
    return Tensors.of(
        run.activate(Tensors.toArray(input), false, LayerWorkspaceMgr.noWorkspaces()));
  }

  /** Returns {@code [batch, time, features]}. */
  private static Tensor steps(Tensor sequence, boolean channelsLast) {
    if (channelsLast) {
      return sequence;
    }
    int batch = sequence.size(0);
    int features = sequence.size(1);
    int time = sequence.size(2);
    float[] steps = new float[sequence.length()];
    for (int i = 0; i < steps.length; i++) {
      int feature = i % features;
      int step = i / features % time;
      int example = i / features / time;
      steps[i] = sequence.values()[(example * features + feature) * time + step];
    }
    return Tensor.of(steps, batch, time, features);
  }

  private static Tensor reversed(Tensor sequence, boolean channelsLast) {
    int inner = channelsLast ? sequence.size(2) : 1;
    int time = sequence.size(channelsLast ? 1 : 2);
    float[] reversed = new float[sequence.length()];
    for (int i = 0; i < reversed.length; i++) {
      int step = i / inner % time;
      reversed[i] = sequence.values()[i + (time - 1 - 2 * step) * inner];
    }
    return Tensor.of(reversed, sequence.shape());
  }

  /** Returns the steps one later, zeros first, of {@code [batch, time, features]}. */
  private static Tensor delayed(Tensor steps) {
    int each = steps.size(1) * steps.size(2);
    float[] delayed = new float[steps.length()];
    for (int from = 0; from < delayed.length; from += each) {
      System.arraycopy(steps.values(), from, delayed, from + steps.size(2), each - steps.size(2));
    }
    return Tensor.of(delayed, steps.shape());
  }

  private static Tensor rows(Tensor steps) {
    return steps.reshape(steps.size(0) * steps.size(1), steps.size(2));
  }
}
