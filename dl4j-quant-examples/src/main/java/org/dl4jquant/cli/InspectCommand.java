package org.dl4jquant.cli;

import com.google.common.primitives.Ints;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.concurrent.Callable;
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

/** Tells what a network consists of and what of it can be quantized. */
@Command(
    name = "inspect",
    description = "Lists the layers of a network, their parameters and what can be quantized.")
final class InspectCommand implements Callable<Integer> {
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
      out.print(QuantizationReport.of(file.quantized().get()).table());
    } else {
      out.print(table(network));
    }
    out.flush();
    return 0;
  }

  private static String table(Dl4jNetwork network) {
    TextTable table = new TextTable("layer", "kind", "parameter", "shape", "elements", "quantized");
    for (Dl4jLayer layer : network.layers()) {
      if (layer.parameters().isEmpty()) {
        table.add(layer.name(), layer.kind(), "-", "-", "-", "nothing to quantize");
      }
      String name = layer.name();
      String kind = layer.kind();
      for (Dl4jParameter parameter : layer.parameters()) {
        table.add(
            name,
            kind,
            parameter.key(),
            parameter.layout().shape().toString(),
            String.valueOf(parameter.value().length()),
            how(parameter));
        name = ""; // said once
        kind = "";
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
