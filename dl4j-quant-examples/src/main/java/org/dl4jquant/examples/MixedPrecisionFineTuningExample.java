package org.dl4jquant.examples;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Locale;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.transferlearning.FineTuneConfiguration;
import org.dl4jquant.Quantization;
import org.dl4jquant.convert.QuantizedModel;
import org.dl4jquant.finetune.FineTuningRun;
import org.dl4jquant.finetune.MixedPrecisionFineTuning;
import org.dl4jquant.precision.PrecisionPlan;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.schedule.ExponentialSchedule;
import org.nd4j.linalg.schedule.ScheduleType;

/**
 * Mixed-precision fine-tuning on Fashion-MNIST (mini): a network with batch norm is trained in
 * floats, its layers are measured one at a time on the validation split, the ones that cost least
 * get 3-bit weights until a weight has 4 bits on average, and the network trains on with these
 * codes and activations of 6 bits. Accuracies are of the test split, in integers but for the float
 * one.
 *
 * <p>The last line is one JSON object: {@code {"float":…,"postTraining":…,"mixed":…,
 * "averageBits":…}}.
 */
public final class MixedPrecisionFineTuningExample {
  private static final long SEED = 42;
  private static final int BATCH = 32;
  private static final int EPOCHS = 6;
  private static final int TUNED_EPOCHS = 4;
  private static final int LOW_BITS = 3;
  private static final int ACTIVATION_BITS = 6;
  private static final double AVERAGE_BITS = 4;
  private static final int CALIBRATED = 500;

  private MixedPrecisionFineTuningExample() {}

  /** Runs it; there are no arguments. */
  public static void main(String[] arguments) {
    System.out.println(run(EPOCHS, TUNED_EPOCHS));
  }

  static ObjectNode run(int epochs, int tunedEpochs) {
    Split data = FashionMini.images(SEED);
    MultiLayerNetwork network = Networks.batchNormCnn(28, FashionMini.CLASSES, SEED);
    for (int epoch = 0; epoch < epochs; epoch++) {
      network.fit(Split.shuffledBatches(data.train(), BATCH, SEED + epoch));
    }
    double floatAccuracy = network.evaluate(Split.batches(data.test(), BATCH)).accuracy();
    say("float accuracy on the test split: %.2f %%", 100 * floatAccuracy);

    DataSetIterator few = Split.batches(Split.first(data.train(), CALIBRATED), BATCH);
    Quantization quantization =
        Quantization.of(network).activationBits(ACTIVATION_BITS).calibrate(few);
    PrecisionPlan plan =
        FineTuningStudy.mixed(quantization, LOW_BITS, AVERAGE_BITS, data.validation());
    double averageBits = FineTuningStudy.averageBits(quantization, plan);
    say("plan: %s", plan.toJson());

    FineTuningRun run =
        MixedPrecisionFineTuning.of(network, quantization.convert(plan))
            .with(
                new FineTuneConfiguration.Builder()
                    .updater(new Adam(new ExponentialSchedule(ScheduleType.EPOCH, 1e-3, 0.6)))
                    .build())
            .start();
    double postTraining = accuracy(run.model(), data.test());
    say("rounded to %.2f bits per weight: %.2f %%", averageBits, 100 * postTraining);
    for (int epoch = 0; epoch < tunedEpochs; epoch++) {
      run.fit(Split.shuffledBatches(data.train(), BATCH, SEED + epochs + epoch), 1);
    }
    double mixed = accuracy(run.model(), data.test());
    say("fine-tuned: %.2f %%", 100 * mixed);
    return new ObjectMapper()
        .createObjectNode()
        .put("float", floatAccuracy)
        .put("postTraining", postTraining)
        .put("mixed", mixed)
        .put("averageBits", averageBits);
  }

  /** Returns the accuracy of what the model's integers give. */
  private static double accuracy(QuantizedModel model, DataSet data) {
    INDArray found = model.output(data.getFeatures()).get(0).argMax(1);
    INDArray labels = data.getLabels().argMax(1);
    return found.eq(labels).castTo(DataType.FLOAT).meanNumber().doubleValue();
  }

  private static void say(String format, Object... arguments) {
    System.out.println(String.format(Locale.ROOT, format, arguments));
  }
}
