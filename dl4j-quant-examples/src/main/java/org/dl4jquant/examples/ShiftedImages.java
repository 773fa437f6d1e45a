package org.dl4jquant.examples;

import java.util.Random;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;

/** Images moved by at most one pixel: more variety than a small set has. */
final class ShiftedImages {
  private ShiftedImages() {}

  /**
   * Returns a copy of {@code images}, of shape [n, 1, height, width], each moved by one pixel up,
   * down or not, and left, right or not, with zeros where nothing was. Four in nine are moved along
   * an axis.
   */
  static DataSet of(DataSet images, Random random) {
    INDArray features = images.getFeatures();
    int height = (int) features.size(2);
    int width = (int) features.size(3);
    float[] from = features.dup('c').data().asFloat();
    float[] to = new float[from.length];
    for (int image = 0; image < from.length; image += height * width) {
      int down = step(random);
      int right = step(random);
      for (int y = Math.max(0, down); y < height + Math.min(0, down); y++) {
        for (int x = Math.max(0, right); x < width + Math.min(0, right); x++) {
          to[image + y * width + x] = from[image + (y - down) * width + x - right];
        }
      }
    }
    return new DataSet(Nd4j.createFromArray(to).reshape(features.shape()), images.getLabels());
  }

  private static int step(Random random) {
    return switch (random.nextInt(9)) {
      case 0, 1 -> -1;
      case 2, 3 -> 1;
      default -> 0;
    };
  }
}
