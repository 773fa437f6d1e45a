package org.dl4jquant.report;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableMap;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import org.dl4jquant.convert.Provenance;
import org.dl4jquant.convert.QuantizedModel;
import org.dl4jquant.format.GridLevels;
import org.jspecify.annotations.Nullable;

/**
 * What quantization did to each layer.
 *
 * @param rows in topological order, layers without parameters too
 * @param vertexSums the bits that the widest sum of each vertex without a layer can need
 * @param raised why a layer got more bits than was asked for, by layer
 * @param provenance how the model was made
 */
public record QuantizationReport(
    ImmutableList<LayerRow> rows,
    ImmutableMap<String, Integer> vertexSums,
    ImmutableMap<String, String> raised,
    Provenance provenance) {
  private static final ImmutableList<String> HEADER =
      ImmutableList.of(
          "layer",
          "kind",
          "parameters",
          "bits",
          "fraction",
          "statistic",
          "SQNR dB",
          "value",
          "its fraction",
          "sums",
          "bytes",
          "packed",
          "remark");

  /** Returns the report of a model. */
  public static QuantizationReport of(QuantizedModel model) {
    return of(model, Map.of());
  }

  /**
   * Returns the report of a model with the statistic by which its layers were ranked.
   *
   * @param statistics by layer name; a layer may lack one
   */
  public static QuantizationReport of(QuantizedModel model, Map<String, Double> statistics) {
    int width = model.dataType().width();
    Integers integers = Integers.of(model);
    return new QuantizationReport(
        model.layers().stream()
            .map(layer -> LayerRow.of(layer, find(statistics, layer.name()), integers, width))
            .collect(ImmutableList.toImmutableList()),
        integers.besides(model.layers()),
        ImmutableMap.of(),
        model.provenance());
  }

  /**
   * Returns this report with the reasons of {@link org.dl4jquant.Quantization#raisedHeads}, which
   * the table adds below its lines.
   */
  public QuantizationReport withRaised(Map<String, String> reasons) {
    return new QuantizationReport(rows, vertexSums, ImmutableMap.copyOf(reasons), provenance);
  }

  /** Returns how many examples calibration saw; 0 if there was none, or it did not say. */
  public long calibrationExamples() {
    return provenance.calibrationExamples();
  }

  /** Returns how many more it left out, because their features are NaN or infinite. */
  public long leftOutExamples() {
    return provenance.leftOutExamples();
  }

  private static OptionalDouble find(Map<String, Double> statistics, String layer) {
    Double value = statistics.get(layer);
    return value == null ? OptionalDouble.empty() : OptionalDouble.of(value);
  }

  /** Returns the bytes of all parameters as DL4J holds them. */
  public long bytesBefore() {
    return rows.stream().mapToLong(LayerRow::bytesBefore).sum();
  }

  /** Returns the bytes of all parameters packed. */
  public long bytesAfter() {
    return rows.stream().mapToLong(LayerRow::bytesAfter).sum();
  }

  /**
   * Returns a table with a line per layer and a line of totals: bits of weights, their fractional
   * lengths (scales if they are affine), bits of the value and its channels' fractional lengths
   * ({@code scale @ zero point}; {@code log} with the lowest positive and the top level), bits of
   * the widest sum with the type that holds it.
   */
  public String table() {
    List<List<String>> lines = new ArrayList<>();
    lines.add(HEADER);
    for (LayerRow row : rows) {
      lines.add(cells(row));
    }
    lines.add(
        List.of(
            "total",
            "",
            String.valueOf(rows.stream().mapToLong(LayerRow::parameters).sum()),
            "",
            "",
            "",
            "",
            "",
            "",
            "",
            String.valueOf(bytesBefore()),
            String.valueOf(bytesAfter()),
            ""));
    StringBuilder text = new StringBuilder(layOut(lines));
    text.append("formats of weights by ").append(provenance.weightStrategy());
    if (!provenance.activationStrategy().isEmpty()) {
      text.append("; of values by ").append(provenance.activationStrategy());
    }
    text.append('\n');
    for (LayerRow row : rows) {
      family(row)
          .ifPresent(
              family ->
                  text.append(row.name())
                      .append(": values distributed as ")
                      .append(family)
                      .append('\n'));
    }
    vertexSums.forEach(
        (vertex, bits) -> text.append(vertex).append(": sums of ").append(sums(bits)).append('\n'));
    raised.forEach((layer, reason) -> text.append(layer).append(": ").append(reason).append('\n'));
    if (calibrationExamples() > 0) {
      text.append("calibrated on ").append(calibrationExamples()).append(" examples");
      if (leftOutExamples() > 0) {
        text.append("; left out ")
            .append(leftOutExamples())
            .append(" with features that are NaN or infinite");
      }
      text.append('\n');
    }
    return text.toString();
  }

  /** Returns the table. */
  @Override
  public String toString() {
    return table();
  }

  /** Returns the names of the columns of {@link #cells}. */
  static ImmutableList<String> header() {
    return HEADER;
  }

  /** Returns the family of the distribution of a layer's value, if it was named. */
  Optional<String> family(LayerRow row) {
    return Optional.ofNullable(provenance.families().get(row.name()))
        .or(
            () ->
                Optional.ofNullable(
                    provenance.families().get(row.name() + Integers.PREACTIVATION)));
  }

  /** Returns what the table says of a layer. */
  List<String> cells(LayerRow row) {
    boolean any = row.parameters() > 0;
    return List.of(
        row.name(),
        foldedInto(row).isPresent() ? "BatchNormalization" : row.kind(),
        String.valueOf(row.parameters()),
        any ? String.valueOf(row.bits()) : "-",
        row.affine()
            .filter(affine -> affine.minScale().isPresent())
            .map(affine -> scales(affine.minScale(), affine.maxScale()))
            .orElseGet(() -> range(row.minFractionalLength(), row.maxFractionalLength())),
        row.statistic().isPresent()
            ? String.format(Locale.ROOT, "%.3e", row.statistic().getAsDouble())
            : "-",
        hasCodes(row) ? decibels(row.sqnrDb()) : "-",
        row.valueBits().isPresent() ? String.valueOf(row.valueBits().getAsInt()) : "-",
        row.affine()
            .filter(affine -> affine.valueScale().isPresent())
            .map(QuantizationReport::value)
            .or(() -> row.valueLevels().map(QuantizationReport::levels))
            .orElseGet(() -> range(row.minValueFractionalLength(), row.maxValueFractionalLength())),
        row.accumulatorBits().isPresent() ? sums(row.accumulatorBits().getAsInt()) : "-",
        String.valueOf(row.bytesBefore()),
        String.valueOf(row.bytesAfter()),
        foldedInto(row).map(producer -> "folded into " + producer).orElse(row.floatReason()));
  }

  private Optional<String> foldedInto(LayerRow row) {
    return Optional.ofNullable(provenance.folded().get(row.name()));
  }

  private static String sums(int bits) {
    return bits + " " + type(bits);
  }

  private static String type(int bits) {
    return bits <= Integer.SIZE ? "int32" : "int64";
  }

  private static boolean hasCodes(LayerRow row) {
    return row.minFractionalLength().isPresent()
        || row.affine().map(affine -> affine.minScale().isPresent()).orElse(false);
  }

  private static String scales(OptionalDouble min, OptionalDouble max) {
    String from = String.format(Locale.ROOT, "%.2e", min.orElseThrow());
    String to = String.format(Locale.ROOT, "%.2e", max.orElseThrow());
    return from.equals(to) ? from : from + ".." + to;
  }

  private static String value(LayerRow.Affine affine) {
    return String.format(
        Locale.ROOT,
        "%.2e @ %d",
        affine.valueScale().orElseThrow(),
        affine.valueZeroPoint().orElseThrow());
  }

  private static String levels(GridLevels levels) {
    int lowest = levels.table().stream().filter(code -> code > 0).min().orElse(0);
    double top = levels.grid().fakeQuantize(levels.levels().maxValue());
    return String.format(Locale.ROOT, "log %.3g-%.3g", levels.grid().dequantize(lowest), top);
  }

  private static String range(OptionalInt min, OptionalInt max) {
    if (min.isEmpty() || max.isEmpty()) {
      return "-";
    }
    return min.getAsInt() == max.getAsInt()
        ? String.valueOf(min.getAsInt())
        : min.getAsInt() + ".." + max.getAsInt();
  }

  private static String decibels(double sqnr) {
    return Double.isInfinite(sqnr) ? "exact" : String.format(Locale.ROOT, "%.1f", sqnr);
  }

  private static String layOut(List<List<String>> lines) {
    int[] widths = new int[HEADER.size()];
    for (List<String> line : lines) {
      for (int i = 0; i < widths.length; i++) {
        widths[i] = Math.max(widths[i], line.get(i).length());
      }
    }
    StringBuilder text = new StringBuilder();
    for (List<String> line : lines) {
      StringBuilder row = new StringBuilder();
      for (int i = 0; i < widths.length; i++) {
        String padding = " ".repeat(widths[i] - line.get(i).length());
        boolean number = i >= 2 && i < widths.length - 1;
        row.append(number ? padding + line.get(i) : line.get(i) + padding).append("  ");
      }
      text.append(row.toString().stripTrailing()).append('\n');
    }
    return text.toString();
  }

  /**
   * Returns one JSON object per layer: {@code name, kind, parameters, bits, minFractionalLength,
   * maxFractionalLength, statistic, sqnrDb, valueBits, minValueFractionalLength,
   * maxValueFractionalLength, accumulatorBits, accumulatorType, bytesBefore, bytesAfter,
   * floatReason, raised, family, foldedInto}. What does not apply or is infinite is null; the bits
   * of a layer without parameters are those of its float values, 32. Affine layers have {@code
   * minScale, maxScale, valueScale, valueZeroPoint} besides, in place of fractional lengths. A
   * logarithmic value has {@code valueLevels: {levels, offset, halfStep, gridBits}}.
   */
  public ArrayNode toJson() {
    ArrayNode layers = new ObjectMapper().createArrayNode();
    for (LayerRow row : rows) {
      ObjectNode node = layers.addObject();
      node.put("name", row.name())
          .put("kind", row.kind())
          .put("parameters", row.parameters())
          .put("bits", foldedInto(row).isPresent() ? null : (Integer) row.bits())
          .put("minFractionalLength", boxed(row.minFractionalLength()))
          .put("maxFractionalLength", boxed(row.maxFractionalLength()))
          .put(
              "statistic",
              row.statistic().isPresent() ? finite(row.statistic().getAsDouble()) : null)
          .put("sqnrDb", hasCodes(row) ? finite(row.sqnrDb()) : null)
          .put("valueBits", boxed(row.valueBits()))
          .put("minValueFractionalLength", boxed(row.minValueFractionalLength()))
          .put("maxValueFractionalLength", boxed(row.maxValueFractionalLength()))
          .put("accumulatorBits", boxed(row.accumulatorBits()))
          .put(
              "accumulatorType",
              row.accumulatorBits().isPresent() ? type(row.accumulatorBits().getAsInt()) : null)
          .put("bytesBefore", row.bytesBefore())
          .put("bytesAfter", row.bytesAfter())
          .put("floatReason", row.floatReason().isEmpty() ? null : row.floatReason())
          .put("raised", raised.get(row.name()))
          .put("family", family(row).orElse(null))
          .put("foldedInto", foldedInto(row).orElse(null));
      row.affine().ifPresent(affine -> put(affine, node));
      row.valueLevels().ifPresent(levels -> put(levels, node.putObject("valueLevels")));
    }
    return layers;
  }

  private static void put(GridLevels levels, ObjectNode node) {
    node.put("levels", levels.levels().levels())
        .put("offset", levels.levels().offset())
        .put("halfStep", levels.levels().halfStep())
        .put("gridBits", levels.grid().bitWidth());
  }

  private static void put(LayerRow.Affine affine, ObjectNode node) {
    affine.minScale().ifPresent(scale -> node.put("minScale", scale));
    affine.maxScale().ifPresent(scale -> node.put("maxScale", scale));
    affine.valueScale().ifPresent(scale -> node.put("valueScale", scale));
    affine.valueZeroPoint().ifPresent(zeroPoint -> node.put("valueZeroPoint", zeroPoint));
  }

  /** Returns {@link #toHtml(Map)} without further facts. */
  public String toHtml() {
    return toHtml(ImmutableMap.of());
  }

  /**
   * Returns the table as an HTML page that needs nothing else: no scripts, no other files. Bars
   * show bits of 32, the SQNR and the bytes of each layer before and after.
   *
   * @param facts to stand above the table, by what they are of, in their order
   */
  public String toHtml(Map<String, String> facts) {
    return new HtmlPage(this).text(facts);
  }

  private static @Nullable Integer boxed(OptionalInt value) {
    return value.isPresent() ? value.getAsInt() : null;
  }

  private static @Nullable Double finite(double value) {
    return Double.isFinite(value) ? value : null;
  }
}
