package org.dl4jquant.datafile;

import com.google.common.base.Splitter;
import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableMap;
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
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
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
  /** The name of the labels in a {@code .npz} file; every other array is features. */
  public static final String LABELS = "y";

  private static final String FEATURES = "x";
  private static final float MAX_PIXEL = 255;

  public LabeledExamples {
    long examples = features.values().iterator().next().size(0);
    features.forEach((name, array) -> requireExamples(source, name, array, examples));
    labels.ifPresent(array -> requireExamples(source, LABELS, array, examples));
  }

  /**
   * Reads what {@code argument} names: a {@code .npz} file, two IDX files {@code images,labels}
   * (pixels are divided by 255), or a CSV file.
   *
   * @param labelColumn the header of the label column of a CSV file
   * @throws InvalidDataFileException if a file does not exist or is not what its name announces
   */
  public static LabeledExamples read(String argument, String labelColumn) {
    List<String> files = Splitter.on(',').trimResults().splitToList(argument);
    if (files.size() == 2) {
      return idx(argument, Path.of(files.get(0)), Path.of(files.get(1)));
    }
    Path file = Path.of(argument);
    if (argument.endsWith(".npz")) {
      return npz(file);
    }
    if (argument.endsWith(".csv") || argument.endsWith(".csv.gz")) {
      return csv(file, labelColumn);
    }
    throw new InvalidDataFileException(
        argument, "must be a .npz file, a .csv file or two IDX files separated by a comma");
  }

  /** Returns the number of examples. */
  public int size() {
    return (int) features.values().iterator().next().size(0);
  }

  /**
   * Returns the labels as one-hot rows.
   *
   * @param classes the number of classes of the network
   * @throws InvalidDataFileException if there are no labels, or they do not fit the classes
   */
  public INDArray oneHotLabels(int classes) {
    INDArray given =
        labels.orElseThrow(
            () -> new InvalidDataFileException(source, "must have labels (array y), found none"));
    if (given.rank() > 1 && given.size(1) == classes) {
      return given;
    }
    if (given.length() != size()) {
      throw new InvalidDataFileException(
          source,
          "labels must be class indices or rows of "
              + classes
              + " classes, found shape "
              + Arrays.toString(given.shape()));
    }
    INDArray oneHot = Nd4j.zeros(size(), classes);
    INDArray flat = given.reshape(size());
    for (int i = 0; i < size(); i++) {
      double label = flat.getDouble(i);
      if (label < 0 || label >= classes || label != Math.rint(label)) {
        throw new InvalidDataFileException(
            source,
            "label of example "
                + i
                + " must be a class from 0 to "
                + (classes - 1)
                + ", found "
                + label);
      }
      oneHot.putScalar(i, (int) label, 1);
    }
    return oneHot;
  }

  private static LabeledExamples npz(Path file) {
    Map<String, INDArray> features = new LinkedHashMap<>();
    Optional<INDArray> labels = Optional.empty();
    for (Map.Entry<String, NpyArray> array : NpzFile.read(file).entrySet()) {
      INDArray values = array(array.getValue().floats(), array.getValue().shape());
      if (array.getKey().equals(LABELS)) {
        labels = Optional.of(values);
      } else {
        features.put(array.getKey(), values);
      }
    }
    if (features.isEmpty()) {
      throw new InvalidDataFileException(file.toString(), "must have an array x, found none");
    }
    return new LabeledExamples(file.toString(), ImmutableMap.copyOf(features), labels);
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
              + Math.max(1, examples)
              + " or more examples along axis 0,"
              + " as many as the others, found shape "
              + Arrays.toString(array.shape()));
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

  /** Returns the names of the feature arrays, in the order of the file. */
  public ImmutableList<String> featureNames() {
    return features.keySet().asList();
  }
}
