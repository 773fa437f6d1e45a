package org.dl4jquant.examples;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Locale;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.transferlearning.FineTuneConfiguration;
import org.dl4jquant.Quantization;
import org.dl4jquant.convert.QuantizedModel;
import org.dl4jquant.convert.QuantizedParameter;
import org.dl4jquant.convert.WeightedEntropyCodebooks;
import org.dl4jquant.finetune.FineTuningRun;
import org.dl4jquant.finetune.MixedPrecisionFineTuning;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.learning.config.Adam;

/**
 * Method G on digits: the weights of a trained network get eight levels of weighted entropy per
 * channel, on a grid of 8 bits, and activations 6 bits; fine-tuning gives back what that costs.
 * Accuracies are of the test split, in integers but for the float one. The last line is one JSON
 * object.
 */
public final class WeightedEntropyExample {
  private static final long SEED = 42;
  private static final int BATCH = 32;
  private static final int EPOCHS = 15;
  private static final int TUNED_EPOCHS = 6;

  private WeightedEntropyExample() {}

  /** Runs it; there are no arguments. */
  public static void main(String[] arguments) {
    System.out.println(run(EPOCHS, TUNED_EPOCHS));
  }

  static ObjectNode run(int epochs, int tunedEpochs) {
    Split data = Digits.images(SEED);
    MultiLayerNetwork network = Networks.plainCnn(8, Digits.CLASSES, SEED);
    for (int epoch = 0; epoch < epochs; epoch++) {
      network.fit(Split.shuffledBatches(data.train(), BATCH, SEED + epoch));
    }
    double floatAccuracy = network.evaluate(Split.batches(data.test(), BATCH)).accuracy();
    Quantization start =
        Quantization.of(network)
            .weightBits(3)
            .activationBits(6)
            .calibrate(Split.batches(Split.first(data.train(), 500), BATCH));
    QuantizedModel uniform = start.convert();
    QuantizedModel levels = start.codebooks(WeightedEntropyCodebooks.DEFAULT).convert();
    FineTuningRun run =
        MixedPrecisionFineTuning.of(network, levels)
            .with(new FineTuneConfiguration.Builder().updater(new Adam(5e-4)).build())
            .withCodebooks(WeightedEntropyCodebooks.DEFAULT)
            .start();
    double rounded = accuracy(run.model(), data.test());
    show(run.model());
    for (int epoch = 0; epoch < tunedEpochs; epoch++) {
      run.fit(Split.shuffledBatches(data.train(), BATCH, SEED + epochs + epoch), 1);
    }
    show(run.model());
    return new ObjectMapper()
        .createObjectNode()
        .put("float", floatAccuracy)
        .put("uniformSteps", accuracy(uniform, data.test()))
        .put("weightedEntropy", rounded)
        .put("fineTuned", accuracy(run.model(), data.test()));
  }

  private static void show(QuantizedModel model) {
    for (QuantizedParameter parameter : model.layers().get(0).parameters()) {
      if (parameter.key().equals("W")) {
        System.out.println(
            String.format(
                Locale.ROOT,
                "levels of the first channel of %s: %s",
                model.layers().get(0).name(),
                parameter.codes().orElseThrow().formats().get(0)));
      }
    }
  }

  private static double accuracy(QuantizedModel model, DataSet data) {
    return IntegerAccuracyStudy.accuracy(
        IntegerAccuracyStudy.integerLogits(model, data.getFeatures()), data);
  }
}
