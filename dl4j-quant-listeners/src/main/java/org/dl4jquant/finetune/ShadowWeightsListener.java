package org.dl4jquant.finetune;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.optimize.api.BaseTrainingListener;
import org.dl4jquant.dl4j.Dl4jParameter;
import org.dl4jquant.internal.Checks;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Quantized weights for layers that DL4J gives no weight noise: the network holds the numbers that
 * codes stand for, this holds the float weights behind them. After each iteration what the updater
 * did is added to the float weights, and the network gets their nearest codes.
 *
 * <p>The float weights are not part of what ModelSerializer writes: without {@link #read} a network
 * starts again from its quantized weights. Not thread-safe.
 */
final class ShadowWeightsListener extends BaseTrainingListener {
  private final Map<String, Shadow> shadows = new TreeMap<>();

  /** One parameter: what the network has, had, and the float weights. */
  private static final class Shadow {
    private final INDArray live;
    private final INDArray before;
    private final INDArray master;
    private final ParameterGrid grid;

    Shadow(INDArray live, INDArray master, ParameterGrid grid) {
      this.live = live;
      this.grid = grid;
      this.master = master;
      this.before = live.dup(live.ordering());
      place();
    }

    void place() {
      grid.clip(master);
      grid.quantize(master, live);
      before.assign(live);
    }

    void update() {
      master.addi(live);
      master.subi(before);
      place();
    }
  }

  /**
   * Puts the codes of a parameter in place; its array must be the network's. Float weights that it
   * has here already stay what they are.
   */
  void shadow(Dl4jParameter parameter, ParameterGrid grid) {
    INDArray value = parameter.value();
    long[] shape = parameter.layout().shape().stream().mapToLong(Integer::longValue).toArray();
    INDArray live =
        Arrays.equals(shape, value.shape())
            ? value
            : value.reshape('c', shape); // a Convolution1DLayer's, whose memory is in this order
    Shadow known = shadows.get(parameter.name());
    INDArray master = known == null ? live.dup(live.ordering()) : known.master;
    shadows.put(parameter.name(), new Shadow(live, master, grid));
  }

  /** Returns the names of the parameters, {@code layer/key}. */
  List<String> parameters() {
    return new ArrayList<>(shadows.keySet());
  }

  /** Returns the float weights behind a parameter, in the shape of its layout; live. */
  INDArray master(String parameter) {
    Shadow shadow = shadows.get(parameter);
    if (shadow == null) {
      throw new IllegalArgumentException("parameter must be one of " + parameters());
    }
    return shadow.master;
  }

  void write(DataOutputStream out) throws IOException {
    out.writeInt(shadows.size());
    for (Map.Entry<String, Shadow> own : shadows.entrySet()) {
      out.writeUTF(own.getKey());
      Nd4j.write(own.getValue().master.dup('c'), out);
    }
  }

  /**
   * Goes on with the float weights that {@link #write} wrote.
   *
   * @throws IllegalArgumentException if they are of other parameters; nothing is changed then
   */
  void read(DataInputStream in) throws IOException {
    Map<String, INDArray> saved = new TreeMap<>();
    for (int i = in.readInt(); i > 0; i--) {
      saved.put(in.readUTF(), Nd4j.read(in));
    }
    Checks.that(
        saved.keySet().equals(shadows.keySet()),
        "floats",
        "be of " + shadows.keySet(),
        saved.keySet());
    saved.forEach(
        (name, floats) ->
            Checks.that(
                Arrays.equals(floats.shape(), master(name).shape()),
                "floats of " + name,
                "have shape " + Arrays.toString(master(name).shape()),
                Arrays.toString(floats.shape())));
    saved.forEach((name, floats) -> master(name).assign(floats));
    shadows.values().forEach(Shadow::place);
  }

  @Override
  public void iterationDone(Model model, int iteration, int epoch) {
    shadows.values().forEach(Shadow::update);
  }

  @Override
  public String toString() {
    return "ShadowWeightsListener" + shadows.keySet();
  }
}
