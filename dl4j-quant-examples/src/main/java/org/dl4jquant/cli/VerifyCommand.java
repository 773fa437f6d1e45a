package org.dl4jquant.cli;

import com.google.common.collect.ImmutableList;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.dl4jquant.execute.IntegerNetwork;
import org.dl4jquant.onnxruntime.OnnxComparison;
import org.dl4jquant.onnxruntime.OnnxRuntimeOptions;
import org.dl4jquant.onnxruntime.OnnxVerifier;
import org.dl4jquant.terminal.Progress;
import org.nd4j.linalg.api.ndarray.INDArray;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Compares an ONNX file with the integers that it was made of. */
@Command(
    name = "verify",
    description =
        "Compares the codes that ONNX Runtime computes with the integers of MODEL, at every value"
            + " and at the outputs; prints one JSON object. Fails if codes differ that must be"
            + " equal.")
final class VerifyCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Parameters(
      paramLabel = "MODEL",
      description = "An archive that quantize --calibration has written.")
  private Path model;

  @Option(
      names = "--onnx",
      paramLabel = "FILE",
      required = true,
      description = "What export --onnx has written of MODEL.")
  private Path onnx;

  @Option(
      names = "--data",
      paramLabel = "FILE",
      required = true,
      description = "Examples, as evaluate takes them, labels unused.")
  private String data;

  @Mixin private DataOptions dataOptions;

  @SuppressWarnings("NullAway.Init") // picocli sets the fields
  private VerifyCommand() {}

  @Override
  public Integer call() {
    ModelFile file = ModelFile.open(model);
    IntegerNetwork integers = file.integers().toIntegerNetwork();
    ImmutableList<INDArray> inputs = dataOptions.read(data, file).inputs();
    OnnxComparison found = compare(file, integers, inputs);
    PrintWriter out = spec.commandLine().getOut();
    out.println(found.toJson());
    out.flush();
    for (OnnxComparison.Layer broken : found.broken(integers.graph().graph())) {
      throw new CommandFailedException(
          "%s: %d of %d codes of '%s' are not those of %s, though they are computed from equal ones"
              .formatted(
                  onnx, broken.mismatches(), broken.elements(), broken.name(), file.source()));
    }
    return 0;
  }

  private OnnxComparison compare(
      ModelFile file, IntegerNetwork integers, ImmutableList<INDArray> inputs) {
    InputBatches batches = new InputBatches(inputs, () -> {});
    ImmutableList<String> names = integers.graph().graph().inputs();
    try (OnnxVerifier verifier = OnnxVerifier.open(onnx, integers, OnnxRuntimeOptions.DEFAULTS);
        Progress progress = Progress.start("verifying", batches.count())) {
      while (batches.hasNext()) {
        INDArray[] batch = batches.next().getFeatures();
        try {
          verifier.accept(InputTensors.of(names, batch));
        } catch (IllegalArgumentException e) {
          throw InputShapes.misfit(file.source(), file.network(), batch, e);
        }
        progress.step();
      }
      return verifier.snapshot();
    }
  }
}
