package org.dl4jquant.cli;

import com.google.common.primitives.Ints;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.dl4jquant.convert.QuantizedModel;
import org.dl4jquant.dl4j.Dl4jLayer;
import org.dl4jquant.dl4j.Dl4jNetwork;
import org.dl4jquant.dl4j.Dl4jParameter;
import org.dl4jquant.format.Granularity;
import org.dl4jquant.report.QuantizationReport;
import org.dl4jquant.terminal.TextTable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Tells what a network consists of, what of it can be quantized, and what computes it then. */
@Command(
    name = "inspect",
    description =
        "Lists the layers of a network, their parameters, and what is or will be computed in"
            + " integers.")
final class InspectCommand implements Callable<Integer> {
  private static final String HOW = "converted";

  @Spec private CommandSpec spec;

  @Parameters(paramLabel = "MODEL", description = ModelFile.DESCRIPTION)
  private Path model;

  @SuppressWarnings("NullAway.Init") // picocli sets the fields
  private InspectCommand() {}

  @Override
  public Integer call() {
    PrintWriter out = spec.commandLine().getOut();
    ModelFile file = ModelFile.open(model);
    Dl4jNetwork network = Dl4jNetwork.of(file.network());
    out.println(
        file.kind()
            + (file.quantized().isPresent() ? ", packed" : "")
            + ", "
            + network.parameters().length()
            + " parameters"
            + file.normalizer()
                .map(normalizer -> ", with a " + normalizer.getClass().getSimpleName())
                .orElse(""));
    if (file.quantized().isPresent()) {
      printArchive(out, file.quantized().get());
    } else {
      printNetwork(out, network);
    }
    out.flush();
    return 0;
  }

  private static void printArchive(PrintWriter out, QuantizedModel quantized) {
    Computation computation = Computation.of(quantized);
    List<String> lines = QuantizationReport.of(quantized).table().lines().toList();
    TextTable table = new TextTable(lines.get(0), HOW);
    for (int i = 1; i < lines.size(); i++) {
      boolean layer = i <= quantized.layers().size();
      String name = layer ? quantized.layers().get(i - 1).name() : "";
      table.add(lines.get(i), computation.layers().getOrDefault(name, ""));
    }
    out.print(table);
    printVertices(out, computation);
  }

  private static void printVertices(PrintWriter out, Computation computation) {
    if (computation.vertices().isEmpty()) {
      return;
    }
    TextTable table = new TextTable("vertex", HOW);
    computation.vertices().forEach((name, how) -> table.add(name, how));
    out.print(table);
  }

  private static void printNetwork(PrintWriter out, Dl4jNetwork network) {
    Optional<Computation> expected = Optional.empty();
    String fault = "";
    try {
      expected = Optional.of(Computation.expected(network.model()));
    } catch (IllegalArgumentException e) {
      fault = "Conversion to integers will fail: " + Messages.of(e) + "\n";
    }
    out.print(table(network, expected));
    expected.ifPresent(computation -> printVertices(out, computation));
    out.print(fault);
  }

  private static String table(Dl4jNetwork network, Optional<Computation> expected) {
    TextTable table =
        new TextTable("layer", "kind", "parameter", "shape", "elements", "quantized", HOW);
    for (Dl4jLayer layer : network.layers()) {
      String name = layer.name();
      String kind = layer.kind();
      String how = expected.map(all -> all.layers().getOrDefault(layer.name(), "-")).orElse("-");
      if (layer.parameters().isEmpty()) {
        table.add(name, kind, "-", "-", "-", "nothing to quantize", how);
      }
      for (Dl4jParameter parameter : layer.parameters()) {
        table.add(
            name,
            kind,
            parameter.key(),
            parameter.layout().shape().toString(),
            String.valueOf(parameter.value().length()),
            how(parameter),
            how);
        name = ""; // said once
        kind = "";
        how = "";
      }
    }
    return table.toString();
  }

  private static String how(Dl4jParameter parameter) {
    if (parameter.layout().floatReason().isPresent()) {
      return "stays float: " + parameter.layout().floatReason().get();
    }
    return switch (parameter.layout().role()) {
      case WEIGHT -> "weight, " + formats(parameter);
      case BIAS -> "bias, " + formats(parameter);
      case STATISTIC -> "stays float: normalization statistics";
      case OTHER -> "stays float";
    };
  }

  private static String formats(Dl4jParameter parameter) {
    Granularity granularity = parameter.layout().granularity();
    int channels = granularity.channels(Ints.toArray(parameter.layout().shape()));
    return channels + (channels == 1 ? " format " : " formats ") + granularity;
  }
}
