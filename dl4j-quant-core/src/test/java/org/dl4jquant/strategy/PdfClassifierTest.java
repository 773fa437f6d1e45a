package org.dl4jquant.strategy;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.google.common.primitives.ImmutableDoubleArray;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

final class PdfClassifierTest {
  private static String text(float scoreOfNormal) {
    float[][] first = new float[PdfClassifier.FEATURES][2];
    first[0][0] = 1;
    first[0][1] = -1;
    float[][] second = {{0, 1, 0, 0, 0, 0, 0, 0}, {0, 0, 0, 0, 0, 0, 0, 1}};
    double[] ones = new double[PdfClassifier.FEATURES];
    Arrays.fill(ones, 2);
    return PdfClassifier.text(
        new double[PdfClassifier.FEATURES],
        ones,
        new float[][][] {first, second},
        new float[][] {{0, 0}, {0, 0, 0, 0, scoreOfNormal, 0, 0, 0}});
  }

  private static ImmutableDoubleArray first(double feature) {
    double[] features = new double[PdfClassifier.FEATURES];
    features[0] = feature;
    return ImmutableDoubleArray.copyOf(features);
  }

  @Test
  void layersAreRectifiedButForTheLast() {
    PdfClassifier classifier = PdfClassifier.parse(text(0.75f));
    assertEquals(PdfFamily.LAPLACE, classifier.family(first(2))); // 1 against 0.75
    assertEquals(PdfFamily.NORMAL, classifier.family(first(1)));
    assertEquals(PdfFamily.NORMAL, classifier.family(first(-1)));
    assertEquals(PdfFamily.UNIFORM, classifier.family(first(-2)));
  }

  @Test
  void aTextThatWasChangedIsRefused() {
    String text = text(0.75f);
    String changed = text.replace("0.750000", "0.850000");
    FormatStrategyTest.assertMessageStarts(
        "text must have the SHA-256 that it states", () -> PdfClassifier.parse(changed));
    FormatStrategyTest.assertMessageStarts(
        "text must start with 'dl4j-quant perceptron 1'",
        () -> PdfClassifier.parse(text.substring(1)));
    FormatStrategyTest.assertMessageStarts(
        "text must start with 'dl4j-quant perceptron 1'", () -> PdfClassifier.parse(""));
  }

  @Test
  void aNetworkOfOtherSizesIsRefused() {
    String three =
        PdfClassifier.text(
            new double[] {0},
            new double[] {1},
            new float[][][] {{{1, 2, 3}}},
            new float[][] {{0, 0, 0}});
    FormatStrategyTest.assertMessage(
        "text must describe a network of 9 inputs and 8 outputs, found 1 and 3",
        () -> PdfClassifier.parse(three));
  }

  @Test
  void featuresDoNotChangeWithTheScale() {
    double[] values = Profiles.Family.LOGISTIC.quantiles(3000);
    values[0] *= 1.5;
    ImmutableDoubleArray one = PdfClassifier.features(Profiles.of(values), 8, true);
    ImmutableDoubleArray other =
        PdfClassifier.features(Profiles.of(Profiles.scaled(0x1p-7, values)), 8, true);
    for (int i = 0; i < PdfClassifier.FEATURES; i++) {
      assertEquals(one.get(i), other.get(i), 1e-9, "feature " + i);
    }
  }
}
