package org.dl4jquant.examples;

/**
 * One trained network, quantized in one way.
 *
 * @param data the name of the data set
 * @param network the kind of network
 * @param seed of split, initial weights and batches
 * @param setting how it was quantized
 * @param floatAccuracy on the test split, as DL4J computes
 * @param accuracy on the test split, in integers
 * @param logitSqnrDb of the values before the softmax against those of the float network, over all
 *     test examples
 */
record AccuracyTrial(
    String data,
    String network,
    long seed,
    String setting,
    double floatAccuracy,
    double accuracy,
    double logitSqnrDb) {
  /** Returns the points of accuracy that were lost; negative if there are more than before. */
  double pointsLost() {
    return 100 * (floatAccuracy - accuracy);
  }

  boolean isOf(String otherData, String otherNetwork, long otherSeed, String otherSetting) {
    return data.equals(otherData)
        && network.equals(otherNetwork)
        && seed == otherSeed
        && setting.equals(otherSetting);
  }
}
