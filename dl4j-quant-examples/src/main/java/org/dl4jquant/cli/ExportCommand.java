package org.dl4jquant.cli;

import static com.google.common.collect.ImmutableList.toImmutableList;

import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableMap;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.dl4jquant.execute.IntegerNetwork;
import org.dl4jquant.export.c.CHeader;
import org.dl4jquant.graph.ActivationFormat;
import org.dl4jquant.graph.Input;
import org.dl4jquant.graph.Node;
import org.dl4jquant.graph.QuantizedGraph;
import org.dl4jquant.graph.Shape;
import org.dl4jquant.onnx.OnnxModel;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Writes a network in a form that other programs compute. */
@Command(name = "export", description = "Writes a network in a form that other programs compute.")
final class ExportCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Parameters(paramLabel = "MODEL", description = ModelFile.DESCRIPTION)
  private Path model;

  @Option(
      names = "--c-header",
      paramLabel = "FILE.h",
      description =
          "A C99 header that computes the same integers; MODEL must be an archive that quantize"
              + " --calibration has written. It takes examples of one size: give --input-shape if the"
              + " network leaves it open, as most that take images do (default: not written).")
  private @Nullable Path header;

  @Option(
      names = "--name",
      paramLabel = "NAME",
      description =
          "What the identifiers in the header begin with, a C identifier in lower case (default:"
              + " the name of the file).")
  private @Nullable String name;

  @Option(
      names = "--onnx",
      paramLabel = "OUT.onnx",
      description =
          "An ONNX file; of an archive that quantize has written with the codes and their"
              + " DequantizeLinear, and QuantizeLinear where activations are codes, too"
              + " (default: not written).")
  private @Nullable Path onnx;

  @Option(
      names = "--float",
      description =
          "Write the ONNX file with float weights and values (default: as the archive has them).")
  private boolean asFloat;

  @Mixin private ShapeOption shape;

  @SuppressWarnings("NullAway.Init") // picocli sets the fields
  private ExportCommand() {}

  @Override
  public Integer call() {
    if (header == null && onnx == null) {
      throw new ParameterException(
          spec.commandLine(), "say what to write: --onnx OUT.onnx or --c-header FILE.h");
    }
    if (asFloat && onnx == null) {
      throw new ParameterException(spec.commandLine(), "--float needs --onnx OUT.onnx");
    }
    for (Path target : Arrays.asList(header, onnx)) {
      requireFile(target);
    }
    ModelFile file = ModelFile.open(model);
    if (onnx != null) {
      writeOnnx(file, onnx);
    }
    if (header != null) {
      writeHeader(file, header);
    }
    return 0;
  }

  private void writeOnnx(ModelFile file, Path target) {
    if (!asFloat && file.quantized().isEmpty()) {
      throw new CommandFailedException(
          file.source() + ": is a float network; add --float, or quantize it");
    }
    OnnxModel written = asFloat ? OnnxModels.floats(file.network()) : OnnxModels.of(file);
    written.writeTo(target);
    tell(target, "ONNX opset " + written.opset() + ", " + numbers(file));
    if (!asFloat && !forOnnx(file)) {
      tell(
          target,
          "values have a format per channel, which ONNX Runtime computes in float; quantize with"
              + " --target onnx for its integer kernels");
    }
    written
        .unpromised()
        .forEach((node, reason) -> tell(target, "codes of '" + node + "' may differ: " + reason));
  }

  private static boolean forOnnx(ModelFile file) {
    return file.quantized().stream()
        .flatMap(model -> model.activations().values().stream())
        .allMatch(ActivationFormat::perTensor);
  }

  private String numbers(ModelFile file) {
    if (asFloat) {
      return "float";
    }
    boolean all = file.quantized().filter(model -> !model.activations().isEmpty()).isPresent();
    return all ? "integers" : "integer weights, computing in float";
  }

  private void requireFile(@Nullable Path target) {
    if (target == null) {
      return;
    }
    boolean same = target.toAbsolutePath().normalize().equals(model.toAbsolutePath().normalize());
    if (same || Files.isDirectory(target)) {
      throw new ParameterException(
          spec.commandLine(),
          target + (same ? " would overwrite MODEL" : " is a folder; name the file to write"));
    }
  }

  private void writeHeader(ModelFile file, Path target) {
    String prefix = name == null ? identifier(target) : name;
    QuantizedGraph graph = file.integers().toQuantizedGraph();
    IntegerNetwork network = IntegerNetwork.of(sized(graph, shape.of(file, true)));
    CHeader.of(network, prefix).write(target);
    tell(target, "computes one example by " + prefix + "_run");
  }

  private static String identifier(Path target) {
    String file = target.getFileName().toString().toLowerCase(Locale.ROOT);
    String stem = file.contains(".") ? file.substring(0, file.indexOf('.')) : file;
    String name = stem.replaceAll("[^a-z0-9_]", "_");
    return name.matches("[a-z].*") ? name : "network_" + name;
  }

  /** Gives the inputs sizes; all other shapes follow. */
  private static QuantizedGraph sized(
      QuantizedGraph quantized, ImmutableMap<String, Shape> shapes) {
    ImmutableList<Node> nodes =
        quantized.graph().nodes().stream()
            .map(
                node -> {
                  Shape own = shapes.get(node.name());
                  return own == null ? node : node.withOp(new Input(own));
                })
            .collect(toImmutableList());
    return GraphChange.of(quantized, nodes, quantized.graph().outputs());
  }

  private void tell(Path target, String what) {
    spec.commandLine().getOut().println(target + ": " + what);
  }
}
