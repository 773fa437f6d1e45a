package org.dl4jquant.calibrate;

import com.google.common.collect.ImmutableMap;
import com.google.common.collect.Iterators;
import java.util.Iterator;
import java.util.function.Consumer;
import java.util.function.LongConsumer;
import org.dl4jquant.dl4j.Dl4jNetwork;
import org.dl4jquant.internal.Checks;
import org.dl4jquant.tensor.Tensor;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;
import org.nd4j.linalg.dataset.api.iterator.MultiDataSetIterator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs representative data through a network and profiles every value that can need a number
 * format.
 *
 * <p>Inference as DL4J does it, {@code feedForward(x, false)}; feature masks are honored: a masked
 * step does not count. An example with a feature that is NaN or infinite is left out as a whole and
 * counted, unless a mask hides the feature, which reads as 0 then; values that only become NaN or
 * infinite inside the network are counted apart. Memory does not depend on the number of examples;
 * a large batch is run in parts. Warnings are logged and part of the result. The network must not
 * be used by others meanwhile. Immutable.
 */
public final class Calibration {
  private static final Logger LOG = LoggerFactory.getLogger(Calibration.class);

  private final Dl4jNetwork network;
  private final LongConsumer progress;
  private final Consumer<ImmutableMap<String, Tensor>> inputSink;
  private final boolean logarithms;

  private Calibration(
      Dl4jNetwork network,
      LongConsumer progress,
      Consumer<ImmutableMap<String, Tensor>> inputSink,
      boolean logarithms) {
    this.network = network;
    this.progress = progress;
    this.inputSink = inputSink;
    this.logarithms = logarithms;
  }

  /** Returns a calibration of this network. */
  public static Calibration of(Dl4jNetwork network) {
    return new Calibration(network, examples -> {}, batch -> {}, false);
  }

  /** Returns a calibration that tells after every part of a batch how many examples were seen. */
  public Calibration withProgress(LongConsumer examplesSeen) {
    return new Calibration(network, examplesSeen, inputSink, logarithms);
  }

  /**
   * Returns a calibration that also gives the inputs of every part of a batch, as the graph takes
   * them, by the names of its inputs; but for batches with masks.
   */
  public Calibration withInputs(Consumer<ImmutableMap<String, Tensor>> seen) {
    return new Calibration(network, progress, seen, logarithms);
  }

  /**
   * Returns a calibration that also has a histogram of the logarithms of each value that a ReLU
   * gives, 8 KiB each, from which logarithmic formats are chosen.
   */
  public Calibration withLogarithms() {
    return new Calibration(network, progress, inputSink, true);
  }

  /**
   * Runs what is left of the data; an exhausted iterator is reset first if it can be, as DL4J does.
   * It is not reset afterwards.
   *
   * @throws IllegalArgumentException if there is no example, one does not fit the network, or all
   *     have features that are NaN or infinite
   */
  public CalibrationResult run(DataSetIterator data) {
    if (!data.hasNext() && data.resetSupported()) {
      data.reset();
    }
    return run(
        Iterators.transform(
            data,
            next -> {
              INDArray mask = next.getFeaturesMaskArray();
              return Batch.of(
                  new INDArray[] {next.getFeatures()}, mask == null ? null : new INDArray[] {mask});
            }));
  }

  /** Does the same with several inputs. */
  public CalibrationResult run(MultiDataSetIterator data) {
    if (!data.hasNext() && data.resetSupported()) {
      data.reset();
    }
    return run(
        Iterators.transform(
            data, next -> Batch.of(next.getFeatures(), next.getFeaturesMaskArrays())));
  }

  /**
   * Runs one batch.
   *
   * @param inputs one array per input of the network, in order
   */
  public CalibrationResult run(INDArray... inputs) {
    return run(Iterators.singletonIterator(Batch.of(inputs, null)));
  }

  private CalibrationResult run(Iterator<Batch> batches) {
    Checks.that(batches.hasNext(), "calibration data", "hold examples", "none");
    Batch first = batches.next();
    CalibrationRun run =
        new CalibrationRun(
            network.withInputsLike(first.inputs().toArray(new INDArray[0])),
            progress,
            inputSink,
            logarithms);
    run.accept(first);
    batches.forEachRemaining(run::accept);
    CalibrationResult result = run.result();
    result.warnings().forEach(LOG::warn);
    return result;
  }
}
