package org.dl4jquant.cli;

import com.google.common.collect.ImmutableList;
import java.util.Optional;
import org.dl4jquant.datafile.LabeledExamples;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.ops.transforms.Transforms;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** How data files are read, and made what a network takes. */
final class DataOptions {
  static final String DESCRIPTION =
      "A .npz file with arrays x (floats, as the network takes them; x:NAME for each of several"
          + " inputs) and y (class indices or one-hot; y:NAME for one of several outputs), two IDX"
          + " files IMAGES,LABELS (pixels are divided by 255), or a .csv file with a header.";

  private static final int MAX_PIXEL = 255;

  @Spec(Spec.Target.MIXEE)
  private CommandSpec spec;

  @Option(
      names = "--label-column",
      paramLabel = "NAME",
      defaultValue = "label",
      description = "The column of a .csv file that holds the class (default: ${DEFAULT-VALUE}).")
  private String labelColumn = "label";

  @Option(
      names = "--no-normalizer",
      description =
          "Do not apply the normalizer that is stored in MODEL: the data are normalized already"
              + " (default: it is applied, if there is one).")
  private boolean withoutNormalizer;

  private boolean told;

  @SuppressWarnings("NullAway.Init") // picocli sets the fields
  private DataOptions() {}

  /**
   * Some examples, and the arrays that the network takes for them.
   *
   * @param examples as the file holds them
   * @param inputs one array per input, normalized
   */
  record Data(LabeledExamples examples, ImmutableList<INDArray> inputs) {}

  /** Reads a file for the inputs of a network; all features must be finite. */
  Data read(String file, ModelFile model) {
    return read(file, model, "");
  }

  /**
   * Reads a file for the inputs and an output of a network; all features must be finite.
   *
   * @param output the name of the output that labels are of
   */
  Data read(String file, ModelFile model, String output) {
    return data(file, model, examples(file, model, output).requireFinite());
  }

  /** Reads a file for the inputs of a network, whatever the features. */
  Data readAny(String file, ModelFile model) {
    return data(file, model, examples(file, model, ""));
  }

  private LabeledExamples examples(String file, ModelFile model, String output) {
    return LabeledExamples.read(file, labelColumn, NetworkInputs.names(model.network()), output);
  }

  private Data data(String file, ModelFile model, LabeledExamples examples) {
    ImmutableList<INDArray> inputs = NetworkInputs.of(model.network(), examples);
    Optional<StoredNormalizer> stored =
        model.normalizer().map(own -> new StoredNormalizer(model.source(), own));
    if (stored.isEmpty() || withoutNormalizer) {
      return new Data(examples, inputs);
    }
    tell(stored.get());
    boolean idx = file.contains(",");
    return new Data(
        examples,
        stored
            .get()
            .normalized(
                idx && stored.get().takesBytes()
                    ? ImmutableList.copyOf(inputs.stream().map(DataOptions::bytes).toList())
                    : inputs));
  }

  private static INDArray bytes(INDArray pixels) {
    return Transforms.round(pixels.mul(MAX_PIXEL));
  }

  private void tell(StoredNormalizer stored) {
    if (!told) {
      spec.commandLine()
          .getErr()
          .println(
              "the "
                  + stored.kind()
                  + " in MODEL is applied to the data; if they are normalized already, use"
                  + " --no-normalizer");
      told = true;
    }
  }
}
