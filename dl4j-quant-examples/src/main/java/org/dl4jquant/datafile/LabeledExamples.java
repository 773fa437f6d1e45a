package org.dl4jquant.datafile;

import com.google.common.base.Splitter;
import com.google.common.collect.ImmutableMap;
import com.google.common.collect.ImmutableSet;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.Reader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Examples as a file holds them: one or more arrays of features with the examples along axis 0, and
 * perhaps labels.
 *
 * @param source what error messages call the file
 * @param features float arrays by name, all with the same number of examples
 * @param labels class indices of shape [n], or one row of class weights per example, [n, classes]
 *     or [n, classes, time]; absent if the file has none
 */
public record LabeledExamples(
    String source, ImmutableMap<String, INDArray> features, Optional<INDArray> labels) {
  /** The name of the labels in a {@code .npz} file. */
  public static final String LABELS = "y";

  private static final String FEATURES = "x";
  private static final String OF = ":";
  private static final float MAX_PIXEL = 255;

  public LabeledExamples {
    INDArray first = features.values().iterator().next();
    long examples = first.rank() == 0 ? 0 : first.size(0);
    features.forEach((name, array) -> requireExamples(source, name, array, examples));
    labels.ifPresent(array -> requireExamples(source, LABELS, array, examples));
  }

  /**
   * Reads what {@code argument} names: a {@code .npz} file, two IDX files {@code images,labels}
   * (pixels are divided by 255), or a CSV file, the latter two perhaps gzip-compressed.
   *
   * <p>Of a {@code .npz} file it reads the labels, {@code y:OUTPUT} or else {@code y}, if there are
   * any, and the features: for each input {@code x:INPUT}, or else the array of its name; for a
   * single input first {@code x}. Other arrays are ignored. Features of a {@code .npz} file may be
   * NaN or infinite; {@link #requireFinite} refuses that.
   *
   * @param labelColumn the header of the label column of a CSV file
   * @param inputs the names of the network's inputs
   * @param output the name of the output that the labels are of
   * @throws InvalidDataFileException if a file does not exist, is not what its name announces, or
   *     lacks an array
   */
  public static LabeledExamples read(
      String argument, String labelColumn, List<String> inputs, String output) {
    List<String> files = Splitter.on(',').trimResults().splitToList(argument);
    if (files.size() == 2) {
      return idx(argument, Path.of(files.get(0)), Path.of(files.get(1)));
    }
    Path file = Path.of(argument);
    if (argument.endsWith(".npz")) {
      return npz(file, inputs, output);
    }
    if (argument.endsWith(".csv") || argument.endsWith(".csv.gz")) {
      return csv(file, labelColumn);
    }
    throw new InvalidDataFileException(
        argument, "must be a .npz file, a .csv file or two IDX files separated by a comma");
  }

  /**
   * Checks the features; returns this.
   *
   * @throws InvalidDataFileException if one is NaN or infinite
   */
  public LabeledExamples requireFinite() {
    features.forEach((name, array) -> requireFinite(source, name, array));
    return this;
  }

  /** Returns the number of examples. */
  public int size() {
    return (int) features.values().iterator().next().size(0);
  }

  private static LabeledExamples npz(Path file, List<String> inputs, String output) {
    ImmutableSet<String> names = NpzFile.names(file);
    ImmutableMap.Builder<String, INDArray> features = ImmutableMap.builder();
    for (String input : inputs) {
      String name =
          Stream.of(inputs.size() == 1 ? FEATURES : "", FEATURES + OF + input, input)
              .filter(names::contains)
              .findFirst()
              .orElseThrow(() -> lacksFeatures(file, inputs, names));
      features.put(name, array(file, name));
    }
    return new LabeledExamples(
        file.toString(),
        features.buildOrThrow(),
        Stream.of(LABELS + OF + output, LABELS)
            .filter(names::contains)
            .findFirst()
            .map(name -> array(file, name)));
  }

  private static InvalidDataFileException lacksFeatures(
      Path file, List<String> inputs, ImmutableSet<String> names) {
    return new InvalidDataFileException(
        file.toString(),
        inputs.size() == 1
            ? "must have an array " + FEATURES + ", found " + names
            : "must have an array for each of the inputs "
                + inputs
                + ", by its name or x:NAME, found "
                + names);
  }

  private static INDArray array(Path file, String name) {
    NpyArray array = NpzFile.read(file, name);
    return array(array.floats(), array.shape());
  }

  private static LabeledExamples idx(String source, Path imageFile, Path labelFile) {
    IdxFile images = open(imageFile, in -> IdxFile.read(in, imageFile.toString()));
    IdxFile labels = open(labelFile, in -> IdxFile.read(in, labelFile.toString()));
    float[] pixels = unsigned(images.values());
    for (int i = 0; i < pixels.length; i++) {
      pixels[i] /= MAX_PIXEL;
    }
    return new LabeledExamples(
        source,
        ImmutableMap.of(FEATURES, array(pixels, images.shape())),
        Optional.of(array(unsigned(labels.values()), labels.shape())));
  }

  private static LabeledExamples csv(Path file, String labelColumn) {
    CsvFile rows =
        open(
            file,
            in -> {
              Reader reader = new InputStreamReader(Gzip.decompress(in), StandardCharsets.UTF_8);
              return CsvFile.read(reader, file.toString(), labelColumn);
            });
    INDArray features = Nd4j.create(rows.features().toArray(new float[0][]));
    float[] labels = new float[rows.labels().size()];
    for (int i = 0; i < labels.length; i++) {
      labels[i] = rows.labels().get(i);
    }
    return new LabeledExamples(
        file.toString(),
        ImmutableMap.of(FEATURES, features),
        Optional.of(array(labels, labels.length)));
  }

  private static INDArray array(float[] values, int... shape) {
    long[] sizes = Arrays.stream(shape).asLongStream().toArray();
    return Nd4j.create(values, sizes, 'c');
  }

  private static float[] unsigned(byte[] bytes) {
    float[] values = new float[bytes.length];
    for (int i = 0; i < bytes.length; i++) {
      values[i] = bytes[i] & 0xff;
    }
    return values;
  }

  private static void requireExamples(String source, String name, INDArray array, long examples) {
    if (array.rank() == 0 || array.size(0) != examples || examples == 0) {
      throw new InvalidDataFileException(
          source,
          "array "
              + name
              + " must have "
              + (examples == 0
                  ? "1 or more examples"
                  : counted(examples) + ", as many as the others,")
              + " along axis 0, found shape "
              + Arrays.toString(array.shape()));
    }
  }

  private static String counted(long examples) {
    return examples + (examples == 1 ? " example" : " examples");
  }

  private static void requireFinite(String source, String name, INDArray array) {
    long stride = array.length() / array.size(0);
    float[] values = array.dup('c').data().asFloat();
    for (int i = 0; i < values.length; i++) {
      if (!Float.isFinite(values[i])) {
        throw new InvalidDataFileException(
            source,
            "array " + name + " must be finite, found " + values[i] + " in example " + i / stride);
      }
    }
  }

  private interface Reading<T> {
    T from(InputStream in) throws IOException;
  }

  private static <T> T open(Path file, Reading<T> reading) {
    try (InputStream in = Files.newInputStream(file)) {
      return reading.from(in);
    } catch (NoSuchFileException e) {
      throw new InvalidDataFileException(file.toString(), "does not exist", e);
    } catch (IOException e) {
      throw new UncheckedIOException(file.toString(), e);
    }
  }
}
