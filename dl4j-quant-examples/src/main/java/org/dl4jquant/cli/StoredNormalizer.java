package org.dl4jquant.cli;

import static com.google.common.collect.ImmutableList.toImmutableList;

import com.google.common.collect.ImmutableList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.dataset.api.MultiDataSetPreProcessor;
import org.nd4j.linalg.dataset.api.preprocessor.DataNormalization;
import org.nd4j.linalg.dataset.api.preprocessor.ImageMultiPreProcessingScaler;
import org.nd4j.linalg.dataset.api.preprocessor.ImagePreProcessingScaler;
import org.nd4j.linalg.dataset.api.preprocessor.Normalizer;
import org.nd4j.linalg.dataset.api.preprocessor.VGG16ImagePreProcessor;

/**
 * A normalizer that was saved with a network, for the data of that network.
 *
 * @param source what messages call the file of the network
 */
record StoredNormalizer(String source, Normalizer<?> normalizer) {
  /** Returns the name of the kind of normalizer. */
  String kind() {
    return normalizer.getClass().getSimpleName();
  }

  /** Returns whether it takes pixels from 0 to 255. */
  boolean takesBytes() {
    return normalizer instanceof ImagePreProcessingScaler
        || normalizer instanceof ImageMultiPreProcessingScaler
        || normalizer instanceof VGG16ImagePreProcessor;
  }

  /**
   * Returns normalized copies.
   *
   * @param inputs one array per input, as the network takes them
   * @throws CommandFailedException if the normalizer was fitted on data of another shape
   */
  ImmutableList<INDArray> normalized(List<INDArray> inputs) {
    ImmutableList<INDArray> copies =
        inputs.stream().map(input -> input.dup('c')).collect(toImmutableList());
    try {
      apply(copies);
    } catch (RuntimeException e) { // whatever ND4J throws at shapes that do not fit
      throw new CommandFailedException(
          "%s: its %s cannot take features of shape %s; with --no-normalizer it is not applied: %s"
              .formatted(
                  source,
                  kind(),
                  inputs.stream()
                      .map(input -> Arrays.toString(input.shape()))
                      .collect(Collectors.joining(" and ")),
                  Messages.of(e)),
          e);
    }
    return copies;
  }

  private void apply(ImmutableList<INDArray> copies) {
    if (normalizer instanceof DataNormalization one) {
      copies.forEach(one::transform);
    } else if (normalizer instanceof MultiDataSetPreProcessor several) {
      INDArray[] features = copies.toArray(new INDArray[0]);
      several.preProcess(new MultiDataSet(features, new INDArray[0]));
      for (int i = 0; i < features.length; i++) {
        copies.get(i).assign(features[i]);
      }
    } else {
      throw new CommandFailedException("is of a kind that this tool does not know");
    }
  }
}
