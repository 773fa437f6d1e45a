package org.dl4jquant.examples;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.transferlearning.FineTuneConfiguration;
import org.dl4jquant.Quantization;
import org.dl4jquant.QuantizedModel;
import org.dl4jquant.convert.WeightedEntropyCodebooks;
import org.dl4jquant.dl4j.Dl4jNetwork;
import org.dl4jquant.finetune.FineTuningRun;
import org.dl4jquant.finetune.MixedPrecisionFineTuning;
import org.dl4jquant.finetune.PrecisionBudget;
import org.dl4jquant.listeners.ResidualGradientListener;
import org.dl4jquant.listeners.WeightDifferenceListener;
import org.dl4jquant.onnxruntime.OnnxComparison;
import org.dl4jquant.precision.LayerDescription;
import org.dl4jquant.precision.PrecisionPlan;
import org.dl4jquant.stats.WeightDifferences;
import org.dl4jquant.strategy.FormatStrategy;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.learning.config.Adam;

/**
 * All methods on one network, digits with batch norm, one after the other: the head's bits by its
 * classes (E), formats of activations by the shape of their distributions (F) and of weights per
 * channel (A), training on with codes alone (D) while a listener records how far weights move, the
 * layers that may have 3 bits within a point of accuracy (B), levels of weighted entropy for those
 * (G), fine-tuning on codes alone again, formats of values chosen anew (A), export, and the
 * comparison of everything that computes the result. Accuracies are of the test split; what is
 * chosen is chosen by the validation split.
 *
 * <p>The last line is one JSON object.
 */
public final class AllMethods {
  private static final long SEED = 42;
  private static final int BATCH = 32;
  private static final int LOW_BITS = 3;
  private static final double MOST_LOST = 0.01;
  private static final int CALIBRATED = 320;
  private static final double LEARNING_RATE = 1e-3;

  private final Split data = Digits.images(SEED);
  private final Path directory;

  private AllMethods(Path directory) {
    this.directory = directory;
  }

  /**
   * Runs it.
   *
   * @param arguments the directory for what is exported; {@code all-methods} if there is none
   */
  public static void main(String[] arguments) throws IOException {
    System.out.println(run(Path.of(arguments.length > 0 ? arguments[0] : "all-methods"), 15, 3, 6));
  }

  static ObjectNode run(Path directory, int epochs, int watched, int tuned) throws IOException {
    return new AllMethods(Files.createDirectories(directory)).run(epochs, watched, tuned);
  }

  private ObjectNode run(int epochs, int watched, int tuned) throws IOException {
    MultiLayerNetwork network = Networks.batchNormCnn(8, Digits.CLASSES, SEED);
    for (int epoch = 0; epoch < epochs; epoch++) {
      network.fit(Split.shuffledBatches(data.train(), BATCH, SEED + epoch));
    }
    double floatAccuracy = accuracy(network, data.test());
    say("float accuracy: %.2f %%", 100 * floatAccuracy);
    say("E: %s", Quantization.of(network).weightBits(LOW_BITS).raisedHeads());

    FineTuningRun first =
        tuning(MixedPrecisionFineTuning.of(network, any -> quantization(any).convert())).start();
    say("A, F: 8 bits, %.2f %%", 100 * accuracy(first.model().toNetwork(), data.test()));
    WeightDifferenceListener listener = WeightDifferenceListener.builder().build();
    listener.attachTo(first.network());
    fit(first, watched, 100);
    WeightDifferences moved = listener.snapshot();
    say("D: %s", first.masters().orElseThrow().statistics());

    Model floats = first.floats();
    Quantization start = quantization(floats);
    PrecisionPlan plan =
        PrecisionBudget.drop(MOST_LOST, candidate -> accuracy(candidate, data.validation()))
            .withLowBits(LOW_BITS)
            .plan(start, moved);
    double averageBits = FineTuningStudy.averageBits(start, plan);
    List<String> low =
        start.layers().stream()
            .map(LayerDescription::name)
            .filter(layer -> plan.of(layer).weightBits() == LOW_BITS)
            .toList();
    say("B: %d bits in %s, %.2f bits per weight", LOW_BITS, low, averageBits);

    FineTuningRun second =
        tuning(MixedPrecisionFineTuning.of(floats, any -> inLevels(any, low).convert(plan)))
            .withCodebooks(WeightedEntropyCodebooks.DEFAULT, low::contains)
            .start();
    double rounded = accuracy(second.model().toNetwork(), data.test());
    fit(second, tuned, 200);
    QuantizedModel asTrained = QuantizedModel.of(second.model());
    QuantizedModel aligned = QuantizedModel.of(second.realigned());
    boolean better =
        accuracy(aligned.toNetwork(), data.validation())
            > accuracy(asTrained.toNetwork(), data.validation());
    QuantizedModel model = better ? aligned : asTrained;
    double trained = accuracy(model.toNetwork(), data.test());
    say("G, D: %.2f %% rounded, %.2f %% fine-tuned", 100 * rounded, 100 * trained);
    ObjectNode result =
        new ObjectMapper()
            .createObjectNode()
            .put("float", floatAccuracy)
            .put("postTraining", rounded)
            .put("mixed", trained)
            .put("averageBits", averageBits)
            .put("lowLayers", low.size())
            .put("realigned", better);
    return export(model, result);
  }

  /** Writes and reads the model back, and lets everything that runs it compute the test split. */
  private ObjectNode export(QuantizedModel model, ObjectNode result) throws IOException {
    Path archive = directory.resolve("digits.dlq");
    model.save(archive);
    QuantizedModel loaded = QuantizedModel.load(archive);
    Path onnx = directory.resolve("digits.onnx");
    model.exportOnnx(onnx);
    OnnxComparison comparison = model.verifyOnnx(Split.batches(data.test(), BATCH), onnx);
    return result
        .put("integers", accuracy(loaded.output(data.test().getFeatures()).get(0), data.test()))
        .put("archiveBytes", Files.size(archive))
        .put("onnxMismatches", comparison.mismatches())
        .put("onnxCodes", comparison.elements());
  }

  private Quantization quantization(Model network) {
    return Quantization.of(network)
        .strategy(FormatStrategy.named("pdf"))
        .calibrate(Split.batches(Split.first(data.train(), CALIBRATED), BATCH));
  }

  private Quantization inLevels(Model network, List<String> layers) {
    return quantization(network).codebooks(WeightedEntropyCodebooks.DEFAULT, layers::contains);
  }

  private static MixedPrecisionFineTuning tuning(MixedPrecisionFineTuning start) {
    return start
        .withMasterWeights(ResidualGradientListener::builder)
        .with(new FineTuneConfiguration.Builder().updater(new Adam(LEARNING_RATE)).build());
  }

  private void fit(FineTuningRun run, int epochs, int seed) {
    for (int epoch = 0; epoch < epochs; epoch++) {
      run.fit(Split.shuffledBatches(data.train(), BATCH, SEED + seed + epoch), 1);
    }
  }

  private static double accuracy(Model network, DataSet part) {
    return accuracy(Dl4jNetwork.of(network).output(part.getFeatures()).get(0), part);
  }

  private static double accuracy(INDArray output, DataSet part) {
    INDArray right = output.argMax(1).eq(part.getLabels().argMax(1));
    return right.castTo(DataType.FLOAT).meanNumber().doubleValue();
  }

  private static void say(String format, Object... arguments) {
    System.out.println(String.format(Locale.ROOT, format, arguments));
  }
}
