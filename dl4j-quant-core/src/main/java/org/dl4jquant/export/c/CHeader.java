package org.dl4jquant.export.c;

import com.google.common.collect.ImmutableList;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Locale;
import org.dl4jquant.execute.IntegerNetwork;
import org.dl4jquant.format.FixedPointFormat;
import org.dl4jquant.format.GridLevels;
import org.dl4jquant.format.Rounding;
import org.dl4jquant.graph.Input;
import org.dl4jquant.graph.NetworkGraph;
import org.dl4jquant.graph.Node;
import org.dl4jquant.graph.QuantizedGraph.Carrier;
import org.dl4jquant.internal.AtomicFile;
import org.dl4jquant.internal.Checks;

/**
 * One C99 header that computes what an integer network computes, code by code: constants, static
 * buffers, and {@code void NAME_run(const NAME_code *input, NAME_code *output)}, which takes the
 * codes of one example, channels first, and gives those of the first output. It needs {@code
 * <stdint.h>} only; {@code NAME_run} is not reentrant. A final softmax is left to the caller, who
 * gets the codes that it is computed from.
 *
 * <p>Immutable and thread-safe.
 */
public final class CHeader {
  private final String name;
  private final String text;

  private CHeader(String name, String text) {
    this.name = name;
    this.text = text;
  }

  /**
   * Returns the header of a network with one input of known shape.
   *
   * @param name what all its identifiers begin with: a C identifier in lower case
   * @throws IllegalArgumentException if the network holds an operation that is not written as C,
   *     with its name; if formats are affine; or if a sum lies on a coarser grid than its products
   */
  public static CHeader of(IntegerNetwork network, String name) {
    Checks.that(name.matches("[a-z][a-z0-9_]*"), "name", "be a C identifier in lower case", name);
    NetworkGraph graph = network.graph().graph();
    Checks.that(graph.inputs().size() == 1, "inputs", "be one", graph.inputs());
    Checks.that(
        network.graph().graph().nodes().stream()
            .flatMap(node -> network.graph().format(node.name()).stream())
            .flatMap(format -> format.formats().stream())
            .allMatch(FixedPointFormat.class::isInstance),
        "scheme",
        "be fixed-point to be written as C",
        "affine");
    CText text = new CText(name);
    CNodes nodes = new CNodes(network, text);
    String input = graph.inputs().get(0);
    nodes.buffer(input, "input");
    for (Node node : graph.nodes()) {
      node.op().accept(new CSteps(nodes, text, node));
      nodes.quantized().newLevels(node.name()).ifPresent(own -> levels(nodes, text, node, own));
    }
    String output = graph.outputs().get(0);
    while (network.graph().carrier(output) != Carrier.CODES) {
      output = graph.node(output).input();
    }
    text.statements(
        "  for (int i = 0; i < @n@; i++) {\n    output[i] = @from@[i];\n  }\n",
        "n",
        nodes.shape(output).elements(),
        "from",
        nodes.buffer(output));
    return new CHeader(name, source(nodes, text, name, input, output));
  }

  /** Moves codes of a logarithmic value to those of its levels, in place. */
  private static void levels(CNodes nodes, CText text, Node node, GridLevels levels) {
    Checks.that(
        !(node.op() instanceof Input),
        "format of input '" + node.name() + "'",
        "be uniform to be written as C",
        "a logarithmic one");
    text.statements(
        "  for (int i = 0; i < @n@; i++) {\n    @codes@[i] = @levels@[@codes@[i]];\n  }\n",
        "n",
        nodes.shape(node.name()).elements(),
        "codes",
        nodes.buffer(node.name()),
        "levels",
        text.array("levels", levels.table().stream()));
  }

  private static String source(CNodes nodes, CText text, String name, String input, String output) {
    boolean wide =
        nodes.quantized().graph().nodes().stream()
            .flatMap(node -> nodes.quantized().format(node.name()).stream())
            .flatMap(format -> format.formats().stream())
            .anyMatch(format -> format.maxCode() > Short.MAX_VALUE);
    boolean toEven = nodes.quantized().rounding().equals(Rounding.HALF_EVEN);
    String inputLengths = lengths(nodes.formats(input), text, "input_fractional_length");
    String outputLengths = lengths(nodes.formats(output), text, "output_fractional_length");
    return HEAD.replace("@code@", wide ? "int32_t" : "int16_t")
        .replace("@tie@", toEven ? "(floor & 1) != 0" : "1")
        .replace("@inputs@", Integer.toString(nodes.shape(input).elements()))
        .replace("@outputs@", Integer.toString(nodes.shape(output).elements()))
        .replace("@inputLengths@", inputLengths)
        .replace("@outputLengths@", outputLengths)
        .replace("@constants@", text.constants())
        .replace("@statements@", text.statements())
        .replace("@P@", name.toUpperCase(Locale.ROOT))
        .replace("@p@", name);
  }

  private static String lengths(ImmutableList<FixedPointFormat> formats, CText text, String kind) {
    return text.array(kind, formats.stream().mapToInt(FixedPointFormat::fractionalLength));
  }

  /** Returns the source. */
  public String text() {
    return text;
  }

  /** Returns what all identifiers begin with. */
  public String name() {
    return name;
  }

  /** Writes the source as UTF-8, whole or not at all. */
  public void write(Path file) {
    AtomicFile.write(file, out -> out.write(text.getBytes(StandardCharsets.UTF_8)));
  }

  private static final String HEAD =
      """
      /* Generated by dl4j-quant. A value is code * 2^-fractional_length of its channel:
         @inputLengths@ for the input, @outputLengths@ for the output. */
      #ifndef @P@_H
      #define @P@_H

      #include <stdint.h>

      #define @P@_INPUTS @inputs@
      #define @P@_OUTPUTS @outputs@

      typedef @code@ @p@_code;

      /* The quotient, rounded to the nearest; the denominator is positive. */
      static int64_t @p@_divide(int64_t numerator, int64_t denominator) {
        int64_t floor = numerator / denominator;
        int64_t remainder = numerator % denominator;
        if (remainder < 0) {
          floor--;
          remainder += denominator;
        }
        int64_t other = denominator - remainder;
        return remainder > other || (remainder == other && (@tie@)) ? floor + 1 : floor;
      }

      static @p@_code @p@_saturate(int64_t code, int64_t low, int64_t high) {
        return (@p@_code)(code < low ? low : code > high ? high : code);
      }

      static inline @p@_code @p@_requantize(int64_t sum, int shift, int64_t low, int64_t high) {
        if (shift > 62) {
          return @p@_saturate(0, low, high);
        }
        if (shift >= 0) {
          return @p@_saturate(@p@_divide(sum, (int64_t)1 << shift), low, high);
        }
        if (sum == 0) {
          return 0;
        }
        if (sum >= high || sum <= low) {
          return (@p@_code)(sum > 0 ? high : low);
        }
        return @p@_saturate(sum * ((int64_t)1 << (shift < -40 ? 40 : -shift)), low, high);
      }

      static inline @p@_code @p@_mean(
          int64_t sum, int64_t count, int shift, int64_t low, int64_t high) {
        int64_t numerator = shift > 0 ? sum * ((int64_t)1 << shift) : sum;
        int64_t denominator = shift < 0 ? count * ((int64_t)1 << -shift) : count;
        return @p@_saturate(@p@_divide(numerator, denominator), low, high);
      }

      @constants@
      static void @p@_run(const @p@_code *input, @p@_code *output) {
      @statements@}

      #endif
      """;
}
