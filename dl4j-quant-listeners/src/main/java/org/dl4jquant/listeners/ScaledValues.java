package org.dl4jquant.listeners;

import com.google.common.primitives.ImmutableDoubleArray;
import org.dl4jquant.update.ValueBuffer;

/**
 * Values that are multiplied by a power of two of their channel when they are read, and divided by
 * it when they are written; exact but at the ends of the range of floats.
 *
 * @param values the values themselves
 * @param table the channel of each
 * @param factors powers of two, one per channel
 */
record ScaledValues(ValueBuffer values, ChannelTable table, ImmutableDoubleArray factors)
    implements ValueBuffer {
  @Override
  public int length() {
    return values.length();
  }

  @Override
  public boolean singlePrecision() {
    return values.singlePrecision();
  }

  @Override
  public void read(int from, int count, double[] into) {
    values.read(from, count, into);
    scale(from, count, into, into, false);
  }

  @Override
  public void write(int from, int count, double[] scaled) {
    double[] own = new double[count];
    scale(from, count, scaled, own, true);
    values.write(from, count, own);
  }

  private void scale(int from, int count, double[] source, double[] target, boolean back) {
    int run = from / table.length();
    int at = 0;
    while (at < count) {
      int end = (int) Math.min(count, (run + 1L) * table.length() - from);
      double factor = factors.get(table.channels().get(run % table.channels().length()));
      double own = back ? 1 / factor : factor;
      for (; at < end; at++) {
        target[at] = source[at] * own;
      }
      run++;
    }
  }
}
