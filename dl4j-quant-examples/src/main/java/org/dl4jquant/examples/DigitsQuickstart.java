package org.dl4jquant.examples;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.weights.WeightInit;
import org.deeplearning4j.util.ModelSerializer;
import org.dl4jquant.Quantization;
import org.dl4jquant.convert.QuantizedModel;
import org.dl4jquant.export.PackedArchive;
import org.dl4jquant.export.PlainArchive;
import org.dl4jquant.listeners.WeightDifferenceListener;
import org.dl4jquant.precision.AccuracyBudgetSearch;
import org.dl4jquant.precision.SearchResult;
import org.dl4jquant.precision.Trial;
import org.dl4jquant.report.QuantizationReport;
import org.dl4jquant.stats.DifferenceAggregate;
import org.dl4jquant.stats.WeightDifferences;
import org.dl4jquant.terminal.Progress;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.schedule.ExponentialSchedule;
import org.nd4j.linalg.schedule.ScheduleType;

/**
 * The main job, end to end on the bundled digits: trains a small CNN while a listener records how
 * far each layer moves, finds the layers that can go to 4 bits within an accuracy budget, saves the
 * mixed 4/8-bit network in two forms, reads both back and evaluates them on test data that nothing
 * else has seen. Takes about a minute on two cores.
 *
 * <p>Writes {@code float.zip}, {@code quantized.zip}, {@code quantized.dq.zip} and {@code
 * report.json} into {@code dl4j-quant-examples/target/quickstart/}, or into the folder given as the
 * argument.
 */
public final class DigitsQuickstart {
  private static final long SEED = 42;
  private static final int EPOCHS = 30;
  private static final double LEARNING_RATE = 3e-3;
  private static final double DECAY = 0.9;
  private static final int BATCH = 64;
  private static final int FIRST_BITS = 8;
  private static final int LOW_BITS = 4;

  /** Less than half of the point that may be lost: what is measured on few images is uncertain. */
  private static final double MAX_DROP = 0.004;

  private static final int VIEWS = 5;

  private DigitsQuickstart() {}

  /** Runs the job; the argument, if there is one, is the folder to write to. */
  public static void main(String[] arguments) throws IOException {
    run(arguments.length > 0 ? Path.of(arguments[0]) : defaultFolder(), EPOCHS, SEED);
  }

  private static Path defaultFolder() {
    Path module = Path.of("dl4j-quant-examples");
    return (Files.isDirectory(module) ? module : Path.of("")).resolve("target/quickstart");
  }

  /** Runs the job and returns what it wrote into {@code report.json}. */
  static ObjectNode run(Path folder, int epochs, long seed) throws IOException {
    Files.createDirectories(folder);
    Split digits = Digits.images(seed);
    MultiLayerNetwork network = network(seed);

    WeightDifferenceListener listener = WeightDifferenceListener.builder().build();
    network.addListeners(listener);
    train(network, digits.train(), epochs, seed);
    WeightDifferences differences = listener.snapshot();
    double floatAccuracy = accuracy(network, digits.test());
    say("float accuracy on the test split: %.2f %%", 100 * floatAccuracy);

    Quantization quantization = Quantization.of(network).weightBits(FIRST_BITS);
    SearchResult found = search(quantization, differences, views(digits.validation(), seed));
    say("ranking by weight difference, smallest first: %s", found.ranking());
    found.leftOut().forEach((layer, reason) -> say("  not tried: %s, %s", layer, reason));
    found.trials().forEach(DigitsQuickstart::show);
    say("at %d bits: %s", LOW_BITS, found.lowPrecisionLayers());

    QuantizedModel quantized = quantization.convert(found.best().plan());
    save(network, quantized, folder);
    Model plain =
        ModelSerializer.restoreMultiLayerNetwork(folder.resolve("quantized.zip").toFile());
    Model packed = PackedArchive.read(folder.resolve("quantized.dq.zip")).toNetwork();
    double quantizedAccuracy = accuracy(packed, digits.test());
    say("quantized accuracy on the test split: %.2f %%", 100 * quantizedAccuracy);
    say("restored by plain DL4J: %.2f %%", 100 * accuracy(plain, digits.test()));

    QuantizationReport report =
        QuantizationReport.of(
            quantized, differences.statistics(DifferenceAggregate.MEAN_OVER_CYCLES));
    say("%n%s", report.table());
    ObjectNode json = json(floatAccuracy, quantizedAccuracy, found, report, folder);
    Path file = folder.resolve("report.json");
    Files.writeString(file, json.toPrettyString() + "\n");
    say("wrote %s", file);
    return json;
  }

  private static MultiLayerNetwork network(long seed) {
    MultiLayerNetwork network =
        new MultiLayerNetwork(
            new NeuralNetConfiguration.Builder()
                .seed(seed)
                .updater(
                    new Adam(new ExponentialSchedule(ScheduleType.EPOCH, LEARNING_RATE, DECAY)))
                .weightInit(WeightInit.RELU)
                .activation(Activation.RELU)
                .list()
                .layer(convolution("conv1", 16))
                .layer(convolution("conv2", 32))
                .layer(pooling("pool1"))
                .layer(convolution("conv3", 32))
                .layer(pooling("pool2"))
                .layer(new DenseLayer.Builder().name("dense").nOut(192).build())
                .layer(
                    new OutputLayer.Builder()
                        .name("output")
                        .nOut(Digits.CLASSES)
                        .dropOut(0.5)
                        .activation(Activation.SOFTMAX)
                        .build())
                .setInputType(InputType.convolutional(8, 8, 1))
                .build());
    network.init();
    return network;
  }

  private static ConvolutionLayer convolution(String name, int channels) {
    return new ConvolutionLayer.Builder(3, 3)
        .name(name)
        .nOut(channels)
        .convolutionMode(ConvolutionMode.Same)
        .build();
  }

  private static SubsamplingLayer pooling(String name) {
    return new SubsamplingLayer.Builder().name(name).kernelSize(2, 2).stride(2, 2).build();
  }

  /** Returns the images and shifted copies of them, so that accuracy has finer steps. */
  private static DataSet views(DataSet images, long seed) {
    Random random = new Random(seed);
    List<DataSet> views = new ArrayList<>(List.of(images));
    while (views.size() < VIEWS) {
      views.add(ShiftedImages.of(images, random));
    }
    return DataSet.merge(views);
  }

  private static void train(MultiLayerNetwork network, DataSet data, int epochs, long seed) {
    Random random = new Random(seed);
    try (Progress progress = Progress.start("training", epochs)) {
      for (int epoch = 0; epoch < epochs; epoch++) {
        DataSetIterator batches =
            Split.shuffledBatches(ShiftedImages.of(data, random), BATCH, seed + epoch);
        network.fit(batches);
        progress.step(String.format(Locale.ROOT, "loss %.4f", network.score()));
      }
    }
  }

  private static SearchResult search(
      Quantization quantization, WeightDifferences differences, DataSet validation) {
    AccuracyBudgetSearch.Builder search =
        quantization.search(differences).lowBits(LOW_BITS).maxDrop(MAX_DROP);
    int most = 1 + Integer.SIZE - Integer.numberOfLeadingZeros(differences.layers().size());
    try (Progress progress = Progress.start("searching, at most", most)) {
      return search
          .onTrial(trial -> progress.step(trial.lowPrecisionLayers() + " layers low"))
          .build()
          .run(quantization.evaluating(model -> accuracy(model, validation)));
    }
  }

  private static double accuracy(Model network, DataSet data) {
    return ((MultiLayerNetwork) network).evaluate(Split.batches(data, 256)).accuracy();
  }

  private static void show(Trial trial) {
    say(
        "  trial: %d layers at %d bits, %.2f bits on average, validation accuracy %.2f %%",
        trial.lowPrecisionLayers(), LOW_BITS, trial.averageWeightBits(), 100 * trial.metric());
  }

  private static void save(MultiLayerNetwork network, QuantizedModel quantized, Path folder)
      throws IOException {
    ModelSerializer.writeModel(network, folder.resolve("float.zip").toFile(), false);
    PlainArchive.write(quantized, folder.resolve("quantized.zip"));
    PackedArchive.write(quantized, folder.resolve("quantized.dq.zip"));
  }

  private static ObjectNode json(
      double floatAccuracy,
      double quantizedAccuracy,
      SearchResult found,
      QuantizationReport report,
      Path folder)
      throws IOException {
    ObjectNode root = new ObjectMapper().createObjectNode();
    root.putObject("float").put("accuracy", floatAccuracy);
    root.putObject("quantized").put("accuracy", quantizedAccuracy);
    ObjectNode files = root.putObject("files");
    for (String name : List.of("float.zip", "quantized.zip", "quantized.dq.zip")) {
      long bytes = Files.size(folder.resolve(name));
      files.put(name, bytes);
      say("%-16s %,d bytes", name, bytes);
    }
    root.set("layers", report.toJson());
    root.putObject("search")
        .put("evaluations", found.evaluations())
        .put("maxDrop", found.maxDrop())
        .put("lowPrecisionLayers", found.best().lowPrecisionLayers())
        .put("averageWeightBits", found.best().averageWeightBits());
    return root;
  }

  private static void say(String format, Object... arguments) {
    System.out.println(String.format(Locale.ROOT, format, arguments));
  }
}
