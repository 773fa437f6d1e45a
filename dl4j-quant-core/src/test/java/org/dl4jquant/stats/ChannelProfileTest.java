package org.dl4jquant.stats;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;

final class ChannelProfileTest {
  @Test
  void refusesPartsThatSawDifferentValues() {
    MomentsAccumulator moments = MomentsAccumulator.create();
    moments.accept(1);
    Histogram histogram = HistogramAccumulator.create(4).snapshot();
    assertEquals(
        "histogram must count as many values as the moments, 1, found 0",
        assertThrows(
                IllegalArgumentException.class,
                () -> new ChannelProfile(moments.snapshot(), histogram))
            .getMessage());
  }
}
