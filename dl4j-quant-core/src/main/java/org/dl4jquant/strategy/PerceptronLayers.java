package org.dl4jquant.strategy;

import com.google.common.collect.ImmutableList;
import com.google.common.hash.Hashing;
import com.google.common.io.Resources;
import com.google.common.primitives.ImmutableDoubleArray;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import org.dl4jquant.internal.Checks;

/**
 * A small trained network of dense layers, as a text: a line {@code dl4j-quant perceptron 1}, a
 * line with the SHA-256 of all that follows, then one line of numbers each for the means and the
 * deviations of the inputs, and for each layer its bias and a row per input.
 */
final class PerceptronLayers {
  private static final String HEAD = "dl4j-quant perceptron 1";

  private final ImmutableDoubleArray means;
  private final ImmutableDoubleArray deviations;
  private final ImmutableList<Layer> layers;

  /** One dense layer: the bias, and for each input the weights to all outputs. */
  private record Layer(ImmutableDoubleArray bias, ImmutableList<ImmutableDoubleArray> rows) {
    double[] apply(double[] inputs) {
      double[] outputs = bias.toArray();
      for (int i = 0; i < inputs.length; i++) {
        for (int o = 0; o < outputs.length; o++) {
          outputs[o] += inputs[i] * rows.get(i).get(o);
        }
      }
      return outputs;
    }
  }

  private PerceptronLayers(
      ImmutableDoubleArray means, ImmutableDoubleArray deviations, ImmutableList<Layer> layers) {
    this.means = means;
    this.deviations = deviations;
    this.layers = layers;
  }

  static String resource(String name) {
    try {
      return Resources.toString(
          Resources.getResource(PerceptronLayers.class, name), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read the resource " + name, e);
    }
  }

  static String text(double[] means, double[] deviations, float[][][] weights, float[][] biases) {
    StringBuilder body = new StringBuilder();
    line(body, "means", means);
    line(body, "deviations", deviations);
    for (int layer = 0; layer < weights.length; layer++) {
      line(body, "bias", doubles(biases[layer]));
      for (float[] row : weights[layer]) {
        line(body, "row", doubles(row));
      }
    }
    return HEAD + "\nsha256 " + hash(body.toString()) + "\n" + body;
  }

  private static double[] doubles(float[] values) {
    double[] all = new double[values.length];
    for (int i = 0; i < all.length; i++) {
      all[i] = values[i];
    }
    return all;
  }

  private static void line(StringBuilder body, String kind, double[] values) {
    body.append(kind);
    for (double value : values) {
      body.append(String.format(Locale.ROOT, " %.6g", value));
    }
    body.append('\n');
  }

  private static String hash(String body) {
    return Hashing.sha256().hashString(body, StandardCharsets.UTF_8).toString();
  }

  static PerceptronLayers parse(String text) {
    String[] parts = text.split("\n", 3);
    Checks.that(
        parts.length == 3 && parts[0].equals(HEAD), "text", "start with '" + HEAD + "'", parts[0]);
    Checks.that(
        parts[1].equals("sha256 " + hash(parts[2])),
        "text",
        "have the SHA-256 that it states, " + parts[1],
        hash(parts[2]));
    List<String> lines = parts[2].lines().toList();
    ImmutableList.Builder<Layer> layers = ImmutableList.builder();
    for (int i = 2, end; i < lines.size(); i = end) {
      end = i + 1;
      while (end < lines.size() && lines.get(end).startsWith("row ")) {
        end++;
      }
      layers.add(
          new Layer(
              numbers(lines.get(i)),
              lines.subList(i + 1, end).stream()
                  .map(PerceptronLayers::numbers)
                  .collect(ImmutableList.toImmutableList())));
    }
    PerceptronLayers all =
        new PerceptronLayers(numbers(lines.get(0)), numbers(lines.get(1)), layers.build());
    all.requireFit();
    return all;
  }

  private static ImmutableDoubleArray numbers(String line) {
    return ImmutableDoubleArray.copyOf(
        Arrays.stream(line.split(" ")).skip(1).mapToDouble(Double::parseDouble));
  }

  private void requireFit() {
    int inputs = means.length();
    Checks.that(!layers.isEmpty(), "text", "have a layer", 0);
    for (Layer layer : layers) {
      int outputs = layer.bias().length();
      int expected = inputs;
      Checks.that(
          layer.rows().size() == expected
              && layer.rows().stream().allMatch(row -> row.length() == outputs),
          "text",
          "have a row of " + outputs + " weights for each of " + expected + " inputs",
          layer.rows().stream()
              .map(row -> String.valueOf(row.length()))
              .collect(Collectors.joining(", ")));
      inputs = outputs;
    }
  }

  int inputs() {
    return means.length();
  }

  int outputs() {
    return layers.get(layers.size() - 1).bias().length();
  }

  double[] apply(double[] inputs) {
    double[] values = new double[inputs.length];
    for (int i = 0; i < values.length; i++) {
      values[i] = (inputs[i] - means.get(i)) / deviations.get(i);
    }
    for (int layer = 0; layer < layers.size(); layer++) {
      values = layers.get(layer).apply(values);
      boolean last = layer == layers.size() - 1;
      for (int i = 0; i < values.length && !last; i++) {
        values[i] = Math.max(0, values[i]);
      }
    }
    return values;
  }
}
