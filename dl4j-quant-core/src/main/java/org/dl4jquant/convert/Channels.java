package org.dl4jquant.convert;

import java.util.ArrayList;
import java.util.List;
import org.dl4jquant.format.Granularity;
import org.dl4jquant.tensor.Tensor;

/** Gathers the elements of each channel of a tensor. */
final class Channels {
  private Channels() {}

  /** Returns one array per channel, its elements in row-major order. */
  static List<float[]> of(Tensor tensor, Granularity granularity) {
    int channels = granularity.channels(tensor.shape());
    int[] channelOf = granularity.channelOfEach(tensor.shape());
    int perChannel = channels == 0 ? 0 : tensor.length() / channels;
    List<float[]> gathered = new ArrayList<>(channels);
    for (int c = 0; c < channels; c++) {
      gathered.add(new float[perChannel]);
    }
    int[] next = new int[channels];
    for (int i = 0; i < channelOf.length; i++) {
      int c = channelOf[i];
      gathered.get(c)[next[c]++] = tensor.values()[i];
    }
    return gathered;
  }
}
