package org.dl4jquant.listeners;

import java.util.Arrays;
import java.util.stream.IntStream;
import org.deeplearning4j.nn.api.Model;
import org.dl4jquant.dl4j.Dl4jParameter;
import org.dl4jquant.stats.ParameterDifference;
import org.dl4jquant.stats.SquaredDifferences;
import org.dl4jquant.stats.WeightDifferenceAccumulator;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.memory.MemoryWorkspace;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * One weight tensor and the weights it is compared with, both in the order of the array's memory.
 * Large tensors are read in parts by several threads; the sums do not depend on how many.
 */
final class WatchedTensor {
  private static final int PART = 1 << 18;
  private static final int BLOCK = 1 << 13;

  private final Model model;
  private final Dl4jParameter parameter;
  private final boolean frozen;
  private final boolean perChannel;
  private final boolean direct;
  private final int length;
  private final ChannelTable table;

  /** One of the two holds the reference; both are empty for a frozen tensor. */
  private final float[] floats;

  private final double[] doubles;
  private double frozenSquares;

  WatchedTensor(Model model, Dl4jParameter parameter, boolean frozen, boolean perChannel) {
    this.model = model;
    INDArray array = parameter.value();
    this.parameter = parameter;
    this.frozen = frozen;
    this.perChannel = perChannel;
    this.length = Math.toIntExact(array.length());
    DataType type = array.dataType();
    long[] shape = parameter.layout().shape().stream().mapToLong(Integer::longValue).toArray();
    boolean ownShape = Arrays.equals(shape, array.shape());
    this.direct =
        NativeValues.isContiguous(array)
            && (ownShape || Arrays.equals(array.stride(), ChannelTable.rowMajor(array.shape())))
            && (type == DataType.FLOAT || type == DataType.DOUBLE);
    long[] strides = direct && ownShape ? array.stride() : ChannelTable.rowMajor(shape);
    this.table =
        perChannel
            ? ChannelTable.of(parameter.layout().granularity(), shape, strides)
            : ChannelTable.whole(length);
    boolean wide = type == DataType.DOUBLE;
    this.floats = new float[frozen || wide ? 0 : length];
    this.doubles = new double[frozen || !wide ? 0 : length];
  }

  /** Makes the weights as they are now the reference. */
  void copyReference() {
    if (frozen) {
      frozenSquares = parameter.value().sumNumber().doubleValue() * 0;
    } else {
      measure(true);
    }
  }

  /** Returns the tensor before the first cycle. */
  ParameterDifference unseen() {
    return ParameterDifference.unseen(parameter.key(), length, perChannel ? table.count() : 0);
  }

  /** Hands the squared differences of now to {@code sums}. */
  void accept(WeightDifferenceAccumulator sums, boolean moveReference) {
    double[] channels = new double[table.count()];
    if (frozen) {
      Arrays.fill(channels, frozenSquares);
    } else {
      channels = measure(moveReference);
    }
    double all = Arrays.stream(channels).sum();
    if (perChannel) {
      sums.accept(parameter.layer(), parameter.key(), all, channels);
    } else {
      sums.accept(parameter.layer(), parameter.key(), all);
    }
  }

  private double[] measure(boolean moveReference) {
    WeightSource source =
        NetworkParameters.fineWeights(model, parameter.layer(), parameter.key())
            .map(this::readCopy)
            .orElseGet(() -> direct ? this::readMemory : readCopy(parameter.value()));
    int parts = (length - 1) / PART + 1;
    double[][] sums = new double[parts][];
    IntStream range = IntStream.range(0, parts);
    (parts > 1 ? range.parallel() : range)
        .forEach(part -> sums[part] = part(source, part * PART, moveReference));
    double[] channels = new double[table.count()];
    int runs = table.channels().length();
    for (int part = 0; part < parts; part++) {
      int first = part * PART / table.length();
      for (int run = 0; run < sums[part].length; run++) {
        channels[table.channels().get((first + run) % runs)] += sums[part][run];
      }
    }
    return channels;
  }

  /** Returns the sums of the runs of one part, those of equal place in the table together. */
  private double[] part(WeightSource source, int from, boolean moveReference) {
    int to = (int) Math.min(length, (long) from + PART);
    int first = from / table.length();
    int runs = Math.min(table.channels().length(), (to - 1) / table.length() - first + 1);
    double[] sums = new double[runs];
    boolean wide = doubles.length > 0;
    float[] narrowBlock = new float[wide ? 0 : BLOCK];
    double[] wideBlock = new double[wide ? BLOCK : 0];
    for (int start = from; start < to; start += BLOCK) {
      int end = Math.min(to - start, BLOCK) + start;
      source.read(start, end - start, narrowBlock, wideBlock);
      int run = start / table.length();
      int at = start;
      while (at < end) {
        int stop = (int) Math.min(end, (run + 1L) * table.length());
        int slot = (run - first) % table.channels().length();
        sums[slot] +=
            wide
                ? SquaredDifferences.sum(wideBlock, at - start, doubles, at, stop - at)
                : SquaredDifferences.sum(narrowBlock, at - start, floats, at, stop - at);
        at = stop;
        run++;
      }
      if (moveReference && wide) {
        System.arraycopy(wideBlock, 0, doubles, start, end - start);
      } else if (moveReference) {
        System.arraycopy(narrowBlock, 0, floats, start, end - start);
      }
    }
    return sums;
  }

  private void readMemory(int from, int count, float[] narrow, double[] wide) {
    INDArray array = parameter.value();
    if (doubles.length > 0) {
      NativeValues.doubles(parameter.name(), array, from, count).get(wide, 0, count);
    } else {
      NativeValues.floats(parameter.name(), array, from, count).get(narrow, 0, count);
    }
  }

  /**
   * Other types and arrays with gaps are copied first, row-major; fine weights come in the order of
   * the array's memory.
   */
  private WeightSource readCopy(INDArray weights) {
    MemoryWorkspace outside = Nd4j.getWorkspaceManager().scopeOutOfWorkspaces();
    try {
      INDArray copy = direct ? weights.dup() : weights.dup('c');
      if (doubles.length > 0) {
        double[] all = copy.data().asDouble();
        return (from, count, narrow, wide) -> System.arraycopy(all, from, wide, 0, count);
      }
      float[] all = copy.data().asFloat();
      return (from, count, narrow, wide) -> System.arraycopy(all, from, narrow, 0, count);
    } finally {
      outside.close();
    }
  }

  Dl4jParameter parameter() {
    return parameter;
  }

  /** Returns the reference itself if it is of floats, to be saved or filled. */
  float[] floats() {
    return floats;
  }

  /** Returns the reference itself if it is of doubles, to be saved or filled. */
  double[] doubles() {
    return doubles;
  }

  /** Takes over the reference of a tensor of the same shape and type. */
  void copyReference(WatchedTensor other) {
    System.arraycopy(other.floats, 0, floats, 0, floats.length);
    System.arraycopy(other.doubles, 0, doubles, 0, doubles.length);
    frozenSquares = other.frozenSquares;
  }

  /** Where current weights come from: fills the block of the tensor's type. */
  private interface WeightSource {
    void read(int from, int count, float[] narrow, double[] wide);
  }
}
