package org.dl4jquant.execute;

import org.dl4jquant.format.NumberFormat;
import org.dl4jquant.graph.ActivationFormat;
import org.dl4jquant.graph.Shape;

/** Looks up the format of an element of an example, in channels-first order. */
final class ChannelFormats {
  private final ActivationFormat format;
  private final int[] channels;

  private ChannelFormats(ActivationFormat format, int[] channels) {
    this.format = format;
    this.channels = channels;
  }

  static ChannelFormats of(ActivationFormat format, Shape shape) {
    return new ChannelFormats(
        format,
        format.perTensor() ? new int[0] : format.granularity().channelOfEach(shape.withBatch(1)));
  }

  NumberFormat at(int element) {
    return format.formats().get(channels.length == 0 ? 0 : channels[element]);
  }

  /** Returns up to where, at most {@code elements}, all elements have the format of this one. */
  int end(int element, int elements) {
    if (channels.length == 0) {
      return elements;
    }
    int end = element + 1;
    while (end < elements && channels[end] == channels[element]) {
      end++;
    }
    return end;
  }
}
