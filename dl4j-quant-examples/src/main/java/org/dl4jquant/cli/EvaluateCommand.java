package org.dl4jquant.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Measures how often a network is right, and how far it is from another one. */
@Command(
    name = "evaluate",
    description = "Measures the accuracy of a network; prints one JSON object.")
final class EvaluateCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Parameters(paramLabel = "MODEL", description = ModelFile.DESCRIPTION)
  private Path model;

  @Option(
      names = "--data",
      paramLabel = "FILE",
      required = true,
      description = DataOptions.DESCRIPTION)
  private String data;

  @Option(
      names = "--engine",
      defaultValue = "dl4j",
      description =
          "What computes: ${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}). Integers need an"
              + " archive that quantize --calibration has written.")
  private Engine engine = Engine.DL4J;

  @Option(
      names = "--onnx",
      paramLabel = "FILE",
      description =
          "What --engine onnx runs; MODEL tells how data are laid out (default: what export --onnx"
              + " makes of MODEL, in float if MODEL is).")
  private @Nullable Path onnx;

  @Option(
      names = "--reference",
      paramLabel = "FLOAT_MODEL",
      description =
          "A network to compare with, class by class and logit by logit; run by DL4J"
              + " (default: none).")
  private @Nullable Path reference;

  @Option(
      names = "--output",
      paramLabel = "NAME",
      description =
          "The output that tells the classes, if the network has several (default: the only one).")
  private @Nullable String output;

  @Mixin private DataOptions dataOptions;

  @SuppressWarnings("NullAway.Init") // picocli sets the fields
  private EvaluateCommand() {}

  @Override
  public Integer call() {
    if (onnx != null && engine != Engine.ONNX) {
      throw new ParameterException(
          spec.commandLine(), "--onnx needs --engine onnx, found --engine " + engine);
    }
    ModelFile opened = ModelFile.open(model);
    NetworkOutput wanted =
        NetworkOutput.of(
            opened.source(), opened.network(), Optional.ofNullable(output), "--output");
    Optional<Classifier> compared =
        Optional.ofNullable(reference).map(file -> reference(ModelFile.open(file), wanted));
    DataOptions.Data read = dataOptions.read(data, opened, wanted.name());
    Evaluation.Result result =
        Evaluation.of(classifier(opened, wanted), compared, read.inputs(), read.examples());
    if (result.nonFinite() > 0) {
      tell(result.nonFinite() + " logits are NaN or infinite and left out of logitSqnrDb");
    }
    PrintWriter out = spec.commandLine().getOut();
    out.println(json(result));
    out.flush();
    return 0;
  }

  private static Classifier reference(ModelFile file, NetworkOutput wanted) {
    return Engine.DL4J.classifier(file, wanted.in(file.source(), file.network()));
  }

  private Classifier classifier(ModelFile file, NetworkOutput wanted) {
    return onnx == null
        ? engine.classifier(file, wanted)
        : Classifier.onnx(onnx.toString(), file.network(), OnnxModels.read(onnx), wanted.index());
  }

  private void tell(String message) {
    spec.commandLine().getErr().println(message);
  }

  /** An infinite ratio, where no logit differs, is null: JSON has no such number. */
  private ObjectNode json(Evaluation.Result result) {
    ObjectNode json = new ObjectMapper().createObjectNode();
    json.put("engine", engine.toString())
        .put("samples", result.samples())
        .put("accuracy", result.accuracy())
        .put("seconds", result.seconds());
    result.agreement().ifPresent(agreement -> json.put("agreement", agreement));
    result
        .logitSqnrDb()
        .ifPresent(
            decibels ->
                json.put("logitSqnrDb", Double.isFinite(decibels) ? (Double) decibels : null));
    return json;
  }
}
