package org.dl4jquant.examples;

import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * Accuracies epoch by epoch, as numbers and as a picture.
 *
 * @param title what the picture is called; plain text
 * @param curves by name, in the order of the legend; each starts before the first epoch and all are
 *     equally long
 */
record LearningCurves(String title, ImmutableMap<String, ImmutableList<Double>> curves) {
  private static final List<String> COLORS =
      List.of("#222222", "#1f77b4", "#2ca02c", "#d62728", "#ff7f0e", "#9467bd", "#8c564b");

  private static final int WIDTH = 640;
  private static final int HEIGHT = 400;
  private static final int LEFT = 60;
  private static final int RIGHT = 500;
  private static final int TOP = 40;
  private static final int BOTTOM = 350;
  private static final int TICKS = 5;
  private static final int LEGEND_STEP = 22;

  /** Returns a table of one row per epoch and one column per curve, separated by commas. */
  String csv() {
    StringBuilder text = new StringBuilder("epoch");
    curves.keySet().forEach(name -> text.append(',').append(name));
    text.append('\n');
    for (int epoch = 0; epoch < length(); epoch++) {
      text.append(epoch);
      for (ImmutableList<Double> curve : curves.values()) {
        text.append(String.format(Locale.ROOT, ",%.6f", curve.get(epoch)));
      }
      text.append('\n');
    }
    return text.toString();
  }

  /** Returns a plot as an SVG document, which every browser shows. */
  String svg() {
    StringBuilder text = new StringBuilder();
    add(
        text,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\""
            + " font-family=\"sans-serif\" font-size=\"12\">",
        WIDTH,
        HEIGHT);
    add(text, "<rect width=\"%d\" height=\"%d\" fill=\"white\"/>", WIDTH, HEIGHT);
    add(text, "<text x=\"%d\" y=\"24\" font-size=\"15\">%s</text>", LEFT, escaped(title));
    axes(text);
    int index = 0;
    for (Map.Entry<String, ImmutableList<Double>> curve : curves.entrySet()) {
      String color = COLORS.get(index % COLORS.size());
      add(
          text,
          "<polyline fill=\"none\" stroke=\"%s\" stroke-width=\"1.8\" points=\"%s\"/>",
          color,
          points(curve.getValue()));
      int y = TOP + 10 + index * LEGEND_STEP;
      add(
          text,
          "<path d=\"M%d %dh22\" stroke=\"%s\" stroke-width=\"3\"/>",
          RIGHT + 15,
          y - 4,
          color);
      add(text, "<text x=\"%d\" y=\"%d\">%s</text>", RIGHT + 44, y, escaped(curve.getKey()));
      index++;
    }
    return text.append("</svg>\n").toString();
  }

  private void axes(StringBuilder text) {
    for (int tick = 0; tick <= TICKS; tick++) {
      double accuracy = (double) tick / TICKS;
      add(text, "<path d=\"M%d %.1fH%d\" stroke=\"#dddddd\"/>", LEFT, y(accuracy), RIGHT);
      add(
          text,
          "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%.0f %%</text>",
          LEFT - 6,
          y(accuracy) + 4,
          100 * accuracy);
      int epoch = tick * (length() - 1) / TICKS;
      add(
          text,
          "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%d</text>",
          x(epoch),
          BOTTOM + 18,
          epoch);
    }
    add(
        text,
        "<path d=\"M%d %dV%dH%d\" fill=\"none\" stroke=\"black\"/>",
        LEFT,
        TOP,
        BOTTOM,
        RIGHT);
    add(text, "<text x=\"%d\" y=\"%d\">epoch</text>", (LEFT + RIGHT) / 2, BOTTOM + 38);
  }

  private String points(List<Double> curve) {
    StringBuilder text = new StringBuilder();
    for (int epoch = 0; epoch < curve.size(); epoch++) {
      text.append(String.format(Locale.ROOT, "%.1f,%.1f ", x(epoch), y(curve.get(epoch))));
    }
    return text.toString().strip();
  }

  private double x(int epoch) {
    return LEFT + (double) (RIGHT - LEFT) * epoch / Math.max(1, length() - 1);
  }

  private static double y(double accuracy) {
    return BOTTOM - (BOTTOM - TOP) * accuracy;
  }

  private int length() {
    return curves.values().stream().mapToInt(List::size).max().orElse(0);
  }

  private static String escaped(String text) {
    return text.chars()
        .mapToObj(c -> "<>&\"".indexOf(c) < 0 ? String.valueOf((char) c) : "&#" + c + ";")
        .collect(Collectors.joining());
  }

  private static void add(StringBuilder text, String format, Object... arguments) {
    text.append(String.format(Locale.ROOT, format, arguments)).append('\n');
  }
}
