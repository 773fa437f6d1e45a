package org.dl4jquant.export;

import com.google.common.collect.ImmutableList;
import com.google.common.primitives.Ints;
import java.util.Optional;
import org.dl4jquant.dl4j.ParameterRole;
import org.dl4jquant.format.Granularity;

/**
 * A parameter as the manifest describes it.
 *
 * @param layer the name of its layer
 * @param key DL4J's key within the layer
 * @param role what it is for
 * @param shape that of the parameter's layout
 * @param coded how it is coded; absent if it stays float
 * @param dataType the name of DL4J's data type if it stays float, else empty
 * @param floatReason why it stays float, else empty
 * @param sqnrDb infinite if nothing was lost
 * @param content the entry with the codes or the values
 */
record ParameterEntry(
    String layer,
    String key,
    ParameterRole role,
    ImmutableList<Integer> shape,
    Optional<Coding> coded,
    String dataType,
    String floatReason,
    double sqnrDb,
    String content) {
  /**
   * Codes.
   *
   * @param scheme how the formats are written
   * @param bitWidth of each code
   * @param signed whether codes are two's complement
   * @param narrowRange whether the lowest code is unused
   * @param levels of the codebooks of all channels together; 0 in other schemes
   * @param axes the channel axes; none for one format per tensor
   * @param formats the entry with the formats, see {@link FormatBytes}
   */
  record Coding(
      FormatBytes.Scheme scheme,
      int bitWidth,
      boolean signed,
      boolean narrowRange,
      int levels,
      ImmutableList<Integer> axes,
      String formats) {
    Granularity granularity() {
      return axes.isEmpty() ? Granularity.perTensor() : Granularity.perChannel(Ints.toArray(axes));
    }
  }
}
