package org.dl4jquant.cli;

import org.dl4jquant.datafile.LabeledExamples;
import picocli.CommandLine.Option;

/** How data files are read. */
final class DataOptions {
  static final String DESCRIPTION =
      "A .npz file with arrays x (float32, as the network takes it) and y (class indices or"
          + " one-hot), two IDX files IMAGES,LABELS (pixels are divided by 255), or a .csv file"
          + " with a header.";

  @Option(
      names = "--label-column",
      paramLabel = "NAME",
      defaultValue = "label",
      description = "The column of a .csv file that holds the class (default: ${DEFAULT-VALUE}).")
  private String labelColumn = "label";

  private DataOptions() {}

  /** Reads a file for the inputs of a network; all features must be finite. */
  LabeledExamples read(String file, ModelFile model) {
    return readAny(file, model).requireFinite();
  }

  /** Reads a file for the inputs of a network, whatever the features. */
  LabeledExamples readAny(String file, ModelFile model) {
    return LabeledExamples.read(file, labelColumn, NetworkInputs.names(model.network()));
  }
}
