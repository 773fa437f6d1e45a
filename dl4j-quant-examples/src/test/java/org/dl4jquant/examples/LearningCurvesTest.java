package org.dl4jquant.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableMap;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Document;
import org.w3c.dom.Element;

final class LearningCurvesTest {
  private static final LearningCurves CURVES =
      new LearningCurves(
          "a < b & \"c\"",
          ImmutableMap.of("low", ImmutableList.of(0.0, 0.5), "high", ImmutableList.of(0.25, 1.0)));

  @Test
  void csvHasARowPerEpoch() {
    assertEquals("epoch,low,high\n0,0.000000,0.250000\n1,0.500000,1.000000\n", CURVES.csv());
  }

  @Test
  void svgIsADocumentWithOneLinePerCurve() throws Exception {
    Document svg =
        DocumentBuilderFactory.newInstance()
            .newDocumentBuilder()
            .parse(new ByteArrayInputStream(CURVES.svg().getBytes(StandardCharsets.UTF_8)));

    assertEquals(2, svg.getElementsByTagName("polyline").getLength());
    Element low = (Element) svg.getElementsByTagName("polyline").item(0);
    assertEquals("60.0,350.0 500.0,195.0", low.getAttribute("points"));
    assertTrue(svg.getDocumentElement().getTextContent().contains("a < b & \"c\""));
  }
}
