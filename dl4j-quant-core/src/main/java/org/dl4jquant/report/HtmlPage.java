package org.dl4jquant.report;

import com.google.common.html.HtmlEscapers;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.dl4jquant.convert.Provenance;
import org.dl4jquant.convert.QuantizedLayer;

/** A report as a page of HTML. Texts from the network are escaped. */
final class HtmlPage {
  private static final int BAR_WIDTH = 80;
  private static final int BAR_HEIGHT = 10;

  /** Lets a browser load nothing, whatever the texts are. */
  private static final String HEAD =
      """
      <!DOCTYPE html>
      <html lang="en">
      <head>
      <meta charset="utf-8"/>
      <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'"/>
      <meta name="viewport" content="width=device-width, initial-scale=1"/>
      <title>Quantization report</title>
      <style>
      body { font: 14px/1.45 sans-serif; margin: 2em; color: #222; background: #fff; }
      h1 { font-size: 1.5em; }
      dl { display: grid; grid-template-columns: max-content auto; gap: 0.2em 1.5em; }
      dt { color: #666; }
      dd { margin: 0; overflow-wrap: anywhere; }
      table { border-collapse: collapse; margin: 1.5em 0; }
      th, td { padding: 0.25em 0.7em; border-bottom: 1px solid #ddd; text-align: left; }
      th { border-bottom: 2px solid #888; vertical-align: bottom; }
      td.number, th.number { text-align: right; white-space: nowrap;
        font-variant-numeric: tabular-nums; }
      tr.total td { border-top: 2px solid #888; font-weight: bold; }
      svg { margin-right: 0.5em; vertical-align: middle; }
      .track { fill: #e8e8e8; }
      .before { fill: #bbb; }
      .bar { fill: #2b6cb0; }
      </style>
      </head>
      <body>
      <h1>Quantization report</h1>
      """;

  private final QuantizationReport report;
  private final double loudest;
  private final double largest; // bytes of a layer
  private final boolean families;
  private final StringBuilder page = new StringBuilder(HEAD);

  HtmlPage(QuantizationReport report) {
    this.report = report;
    this.loudest =
        report.rows().stream()
            .mapToDouble(LayerRow::sqnrDb)
            .filter(Double::isFinite)
            .max()
            .orElse(1);
    this.largest = report.rows().stream().mapToLong(LayerRow::bytesBefore).max().orElse(0);
    this.families = report.rows().stream().anyMatch(row -> report.family(row).isPresent());
  }

  String text(Map<String, String> facts) {
    facts(facts);
    page.append("<table>\n<thead><tr>");
    List<String> header = QuantizationReport.header();
    for (int i = 0; i < header.size(); i++) {
      cell("th", i, header.get(i), "");
    }
    page.append(families ? "<th>family of its values</th>" : "").append("</tr></thead>\n<tbody>\n");
    report.rows().forEach(this::row);
    total(header);
    page.append("</tbody>\n</table>\n");
    notes();
    return page.append("</body>\n</html>\n").toString();
  }

  private void facts(Map<String, String> more) {
    Provenance from = report.provenance();
    page.append("<dl>\n");
    more.forEach(this::fact);
    fact(
        "Parameters",
        String.format(
            Locale.ROOT,
            "%,d bytes before, %,d after (%.1f to 1)",
            report.bytesBefore(),
            report.bytesAfter(),
            (double) report.bytesBefore() / Math.max(1, report.bytesAfter())));
    fact("Formats of weights", from.weightStrategy());
    fact(
        "Formats of values",
        from.activationStrategy().isEmpty()
            ? "none: values stay float"
            : from.activationStrategy());
    if (report.calibrationExamples() > 0) {
      fact(
          "Calibration",
          "%,d examples, %,d left out because their features are NaN or infinite"
              .formatted(report.calibrationExamples(), report.leftOutExamples()));
    }
    fact("Made by", from.library() + ", Deeplearning4j " + from.deeplearning4j());
    fact("SHA-256 of the float network", from.sourceSha256());
    page.append("</dl>\n");
  }

  private void fact(String name, String value) {
    page.append("<dt>").append(escaped(name)).append("</dt>");
    page.append("<dd>").append(escaped(value)).append("</dd>\n");
  }

  private void row(LayerRow row) {
    List<String> cells = report.cells(row);
    page.append("<tr>");
    for (int i = 0; i < cells.size(); i++) {
      boolean something = !cells.get(i).equals("-");
      String bar =
          switch (QuantizationReport.header().get(i)) {
            case "bits" -> something ? bar(0, share(row.bits(), QuantizedLayer.FLOAT_BITS)) : "";
            case "SQNR dB" -> something ? bar(0, share(row.sqnrDb(), loudest)) : "";
            case "packed" ->
                row.bytesBefore() > 0
                    ? bar(
                        share((double) row.bytesBefore(), largest),
                        share((double) row.bytesAfter(), largest))
                    : "";
            default -> "";
          };
      cell("td", i, cells.get(i), bar);
    }
    if (families) {
      page.append("<td>").append(escaped(report.family(row).orElse("-"))).append("</td>");
    }
    page.append("</tr>\n");
  }

  private void total(List<String> header) {
    page.append("<tr class=\"total\">");
    for (int i = 0; i < header.size(); i++) {
      String text =
          switch (header.get(i)) {
            case "layer" -> "total";
            case "parameters" ->
                String.valueOf(report.rows().stream().mapToLong(LayerRow::parameters).sum());
            case "bytes" -> String.valueOf(report.bytesBefore());
            case "packed" -> String.valueOf(report.bytesAfter());
            default -> "";
          };
      cell("td", i, text, "");
    }
    page.append(families ? "<td></td>" : "").append("</tr>\n");
  }

  private void notes() {
    if (report.vertexSums().isEmpty() && report.raised().isEmpty()) {
      return;
    }
    page.append("<ul>\n");
    report.vertexSums().forEach((vertex, bits) -> note(vertex, "sums of " + bits + " bits"));
    report.raised().forEach(this::note);
    page.append("</ul>\n");
  }

  private void note(String name, String text) {
    page.append("<li>").append(escaped(name + ": " + text)).append("</li>\n");
  }

  private void cell(String tag, int column, String text, String bar) {
    boolean number = column >= 2 && column < QuantizationReport.header().size() - 1;
    page.append('<').append(tag).append(number ? " class=\"number\">" : ">");
    page.append(bar).append(escaped(text)).append("</").append(tag).append('>');
  }

  private static double share(double part, double whole) {
    return whole <= 0 ? 0 : Math.max(0, Math.min(1, part / whole));
  }

  /** Returns a bar, on top of a paler one; what they show stands beside it as a number. */
  private static String bar(double before, double after) {
    String frame =
        "<svg width=\"%d\" height=\"%d\" aria-hidden=\"true\">".formatted(BAR_WIDTH, BAR_HEIGHT);
    return frame
        + rectangle("track", 1)
        + rectangle("before", before)
        + rectangle("bar", after)
        + "</svg>";
  }

  private static String rectangle(String kind, double share) {
    return share == 0
        ? ""
        : String.format(
            Locale.ROOT,
            "<rect class=\"%s\" width=\"%.1f\" height=\"%d\"/>",
            kind,
            share * BAR_WIDTH,
            BAR_HEIGHT);
  }

  private static String escaped(String text) {
    StringBuilder printable = new StringBuilder();
    text.codePoints()
        .map(point -> Character.isISOControl(point) ? ' ' : point)
        .forEach(printable::appendCodePoint);
    return HtmlEscapers.htmlEscaper().escape(printable.toString());
  }
}
