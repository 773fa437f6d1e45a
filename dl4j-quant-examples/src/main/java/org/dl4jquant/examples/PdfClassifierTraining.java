package org.dl4jquant.examples;

import com.google.common.collect.ImmutableList;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.weights.WeightInit;
import org.dl4jquant.strategy.PdfClassifier;
import org.dl4jquant.strategy.PdfFamily;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;
import org.nd4j.linalg.schedule.MapSchedule;
import org.nd4j.linalg.schedule.ScheduleType;

/**
 * Trains the classifier of method F and measures it on channels that it has not seen. It learns to
 * foretell for each family how many decibels its format loses, so that the family with the highest
 * score is the one that loses least on average.
 *
 * <p>It learns from drawn channels and from those of digits networks; it is measured on other
 * draws, on distributions of other kinds, and on the channels of Fashion-MNIST networks and of
 * residual graphs, of which it has seen neither. Every seed is fixed.
 */
public final class PdfClassifierTraining {
  private static final int TRAINING_DRAWS = 8000;
  private static final int HELD_OUT_DRAWS = 1500;
  private static final int VALUES = 20_000;
  private static final int FEW_EXAMPLES = 10;
  private static final int MANY_EXAMPLES = 500;
  private static final double MOST_LOSS = 12; // decibels; what a tail costs that no profile saw
  private static final int HIDDEN = 48;
  private static final int HIDDEN_LAST = 24;
  private static final int BATCH = 256;
  private static final int EPOCHS = 60;
  private static final ImmutableList<Integer> WIDTHS = ImmutableList.of(3, 4, 5, 6, 7, 8);

  private final Path networks;
  private final Random random = new Random(20_200_023);

  private PdfClassifierTraining(Path networks) {
    this.networks = networks;
  }

  /**
   * Trains, writes the classifier, and prints how good it is.
   *
   * @param arguments the directory of {@link IntegerAccuracyStudy}, where networks that are missing
   *     are trained, and the file to write
   */
  public static void main(String[] arguments) throws IOException {
    Path networks = Path.of(arguments.length > 0 ? arguments[0] : "integer-accuracy");
    Path file = Path.of(arguments.length > 1 ? arguments[1] : "pdf-classifier.txt");
    PdfClassifierTraining training = new PdfClassifierTraining(networks);
    String text = training.trained();
    Files.writeString(file, text, StandardCharsets.UTF_8);
    System.out.print(training.measured(PdfClassifier.parse(text)));
  }

  private String trained() throws IOException {
    PdfShapes shapes = new PdfShapes(1);
    List<PdfChannels.Channel> channels = new ArrayList<>();
    for (int i = 0; i < TRAINING_DRAWS; i++) {
      channels.add(drawn(shapes.known(VALUES)));
    }
    for (IntegerAccuracyStudy.Subject subject : IntegerAccuracyStudy.SUBJECTS) {
      if (isForTraining(subject)) {
        for (long seed : IntegerAccuracyStudy.SEEDS) {
          channels.addAll(real(subject, seed));
        }
      }
    }
    return train(samples(channels, WIDTHS));
  }

  private static boolean isForTraining(IntegerAccuracyStudy.Subject subject) {
    return subject.data().equals("digits") && !subject.network().equals("residual graph");
  }

  /** A profile sees as many values of a drawn channel as chance will have it. */
  private PdfChannels.Channel drawn(float[] values) {
    int seen = (int) (100 * Math.pow(VALUES / 100.0, random.nextDouble()));
    return new PdfChannels.Channel(Arrays.copyOf(values, seen), values);
  }

  private ImmutableList<PdfChannels.Channel> real(IntegerAccuracyStudy.Subject subject, long seed)
      throws IOException {
    DataSet data = subject.split().apply(seed).train();
    Model model = new IntegerAccuracyStudy(networks).trained(subject, seed, data);
    return PdfChannels.of(model, Split.first(data, MANY_EXAMPLES).getFeatures(), FEW_EXAMPLES);
  }

  private static ImmutableList<PdfSample> samples(
      List<PdfChannels.Channel> channels, List<Integer> widths) {
    return channels.parallelStream()
        .flatMap(channel -> samples(channel, widths).stream())
        .collect(ImmutableList.toImmutableList());
  }

  private static ImmutableList<PdfSample> samples(
      PdfChannels.Channel channel, List<Integer> widths) {
    boolean signed = IntStream.range(0, channel.all().length).anyMatch(i -> channel.all()[i] < 0);
    if (!PdfSample.tells(channel.seen(), signed)) {
      return ImmutableList.of();
    }
    return widths.stream()
        .map(bits -> PdfSample.of(channel.seen(), channel.all(), bits, signed))
        .collect(ImmutableList.toImmutableList());
  }

  private static String train(List<PdfSample> samples) {
    int count = samples.size();
    double[][] features = new double[count][];
    float[][] labels = new float[count][];
    IntStream.range(0, count)
        .parallel()
        .forEach(
            i -> {
              features[i] = samples.get(i).features().toArray();
              labels[i] = samples.get(i).scores(MOST_LOSS);
            });
    normalize(samples, labels);
    double[] means = new double[PdfClassifier.FEATURES];
    double[] deviations = new double[PdfClassifier.FEATURES];
    for (int f = 0; f < means.length; f++) {
      int feature = f;
      double[] column = Arrays.stream(features).mapToDouble(row -> row[feature]).toArray();
      means[f] = Arrays.stream(column).average().orElseThrow();
      double mean = means[f];
      deviations[f] =
          Math.sqrt(
              Arrays.stream(column).map(x -> (x - mean) * (x - mean)).average().orElseThrow());
    }
    INDArray inputs = Nd4j.create(count, PdfClassifier.FEATURES);
    for (int i = 0; i < count; i++) {
      for (int f = 0; f < means.length; f++) {
        inputs.putScalar(i, f, (features[i][f] - means[f]) / deviations[f]);
      }
    }
    MultiLayerNetwork network = network();
    DataSet data = new DataSet(inputs, Nd4j.create(labels));
    for (int epoch = 0; epoch < EPOCHS; epoch++) {
      network.fit(Split.shuffledBatches(data, BATCH, epoch));
    }
    System.out.printf("%d samples, score %.4f%n", count, network.score(data));
    float[][][] weights = new float[network.getnLayers()][][];
    float[][] biases = new float[weights.length][];
    for (int layer = 0; layer < weights.length; layer++) {
      weights[layer] = network.getLayer(layer).getParam("W").toFloatMatrix();
      biases[layer] = network.getLayer(layer).getParam("b").toFloatVector();
    }
    return PdfClassifier.text(means, deviations, weights, biases);
  }

  /** Gives the scores of each width a mean square of 1: at 8 bits much more can be lost. */
  private static void normalize(List<PdfSample> samples, float[][] scores) {
    for (int bits : WIDTHS) {
      double squares = 0;
      long count = 0;
      for (int i = 0; i < scores.length; i++) {
        for (int k = 0; k < scores[i].length && samples.get(i).bitWidth() == bits; k++) {
          squares += scores[i][k] * scores[i][k];
          count++;
        }
      }
      float factor = (float) Math.sqrt(count / squares);
      for (int i = 0; i < scores.length; i++) {
        for (int k = 0; k < scores[i].length && samples.get(i).bitWidth() == bits; k++) {
          scores[i][k] *= factor;
        }
      }
    }
  }

  private static MultiLayerNetwork network() {
    MultiLayerNetwork network =
        new MultiLayerNetwork(
            new NeuralNetConfiguration.Builder()
                .seed(4)
                .weightInit(WeightInit.XAVIER)
                .updater(
                    new Adam(
                        new MapSchedule.Builder(ScheduleType.EPOCH)
                            .add(0, 3e-3)
                            .add(EPOCHS / 2, 1e-3)
                            .add(EPOCHS * 3 / 4, 3e-4)
                            .build()))
                .list()
                .layer(new DenseLayer.Builder().nOut(HIDDEN).activation(Activation.RELU).build())
                .layer(
                    new DenseLayer.Builder().nOut(HIDDEN_LAST).activation(Activation.RELU).build())
                .layer(
                    new OutputLayer.Builder(LossFunction.MSE)
                        .nOut(PdfFamily.values().length)
                        .activation(Activation.IDENTITY)
                        .build())
                .setInputType(InputType.feedForward(PdfClassifier.FEATURES))
                .build());
    network.init();
    return network;
  }

  private String measured(PdfClassifier classifier) throws IOException {
    PdfShapes shapes = new PdfShapes(2);
    List<PdfChannels.Channel> known = new ArrayList<>();
    List<PdfChannels.Channel> unseen = new ArrayList<>();
    for (int i = 0; i < HELD_OUT_DRAWS; i++) {
      known.add(drawn(shapes.known(VALUES)));
      unseen.add(drawn(shapes.unseen(VALUES)));
    }
    List<PdfChannels.Channel> real = new ArrayList<>();
    for (IntegerAccuracyStudy.Subject subject : IntegerAccuracyStudy.SUBJECTS) {
      if (!isForTraining(subject)) {
        real.addAll(real(subject, IntegerAccuracyStudy.SEEDS.get(0)));
      }
    }
    PdfTable table = new PdfTable(classifier);
    List<Integer> widths = ImmutableList.of(4, 6, 8);
    table.add("drawn, known kinds", samples(known, widths));
    table.add("drawn, other kinds", samples(unseen, widths));
    table.add("real, other networks", samples(real, widths));
    return table.markdown();
  }
}
