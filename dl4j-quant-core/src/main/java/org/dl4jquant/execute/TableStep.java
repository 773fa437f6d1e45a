package org.dl4jquant.execute;

import com.google.common.collect.ImmutableList;
import java.util.HashMap;
import java.util.Map;
import org.dl4jquant.format.Rounding;
import org.dl4jquant.format.UniformFormat;
import org.dl4jquant.graph.ScalarFunction;

/**
 * A function of one number as a table over the input codes: the function is computed in double of
 * the exact value, rounded to float, and quantized.
 */
final class TableStep implements Step {
  private final String node;
  private final String input;
  private final int[][] tables;
  private final int[] minCodes; // counted from the zero point

  TableStep(
      String node,
      String input,
      ScalarFunction function,
      ImmutableList<? extends UniformFormat> from,
      ImmutableList<? extends UniformFormat> to,
      Rounding rounding) {
    this.node = node;
    this.input = input;
    tables = new int[from.size()][];
    minCodes = new int[from.size()];
    Map<Formats, int[]> known = new HashMap<>();
    for (int c = 0; c < tables.length; c++) {
      Formats formats = new Formats(from.get(c), to.get(c));
      tables[c] = known.computeIfAbsent(formats, pair -> pair.table(function, rounding));
      minCodes[c] = (int) (from.get(c).minCode() - from.get(c).zeroPoint());
    }
  }

  private record Formats(UniformFormat from, UniformFormat to) {
    int[] table(ScalarFunction function, Rounding rounding) {
      int min = (int) from.minCode();
      int[] table = new int[(int) from.maxCode() - min + 1];
      for (int i = 0; i < table.length; i++) {
        float value = (float) function.apply(from.dequantize(min + i));
        table[i] = (int) (to.quantize(value, rounding) - to.zeroPoint());
      }
      return table;
    }
  }

  @Override
  public void run(Frame frame) {
    CodeArrays in = frame.codes(input);
    CodeArrays out = frame.newCodes(node);
    for (int a = 0; a < in.count(); a++) {
      int[] codes = in.array(a);
      int[] mapped = out.array(a);
      for (int i = 0; i < in.length(); i++) {
        int c = in.features() ? i : a;
        mapped[i] = tables[c][codes[i] - minCodes[c]];
      }
    }
  }
}
