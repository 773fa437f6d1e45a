package org.dl4jquant.export.c;

import com.google.common.base.Joiner;
import com.google.common.primitives.Longs;
import java.util.Arrays;
import java.util.Locale;
import java.util.stream.IntStream;
import java.util.stream.LongStream;

/** C source in the making: constants and statements, numbered names. */
final class CText {
  private static final int PER_LINE = 16;
  private static final String[] TYPES = {"int8_t", "int16_t", "int32_t"};

  private final String prefix;
  private final StringBuilder constants = new StringBuilder();
  private final StringBuilder statements = new StringBuilder();
  private int names;

  CText(String prefix) {
    this.prefix = prefix;
  }

  String constants() {
    return constants.toString();
  }

  String statements() {
    return statements.toString();
  }

  /** Returns a name that no other has. */
  String name(String kind) {
    return "%s_%s%d".formatted(prefix, kind, names++);
  }

  /** Adds a constant array of the narrowest type that holds the values, and returns its name. */
  String array(String kind, LongStream values) {
    long[] all = values.toArray();
    long largest = 0;
    for (long value : all) {
      largest = Math.max(largest, value < 0 ? -1 - value : value);
    }
    String type = "int64_t";
    for (int i = TYPES.length - 1; i >= 0; i--) {
      type = largest < 1L << ((8 << i) - 1) ? TYPES[i] : type;
    }
    String name = name(kind);
    constants.append("static const %s %s[%d] = {".formatted(type, name, all.length));
    for (int i = 0; i < all.length; i += PER_LINE) {
      long[] line = Arrays.copyOfRange(all, i, Math.min(all.length, i + PER_LINE));
      constants.append("\n    ").append(Joiner.on(", ").join(Longs.asList(line))).append(',');
    }
    constants.append("\n};\n");
    return name;
  }

  String array(String kind, IntStream values) {
    return array(kind, values.asLongStream());
  }

  /** Adds a buffer for codes, and returns its name. */
  String buffer(int length) {
    String name = name("value");
    constants.append("static %s_code %s[%d];\n".formatted(prefix, name, length));
    return name;
  }

  /** Adds statements; {@code @name@} stands for the argument after that name. */
  void statements(String template, Object... namesAndValues) {
    String text = template;
    for (int i = 0; i < namesAndValues.length; i += 2) {
      text =
          text.replace(
              "@" + namesAndValues[i] + "@",
              String.format(Locale.ROOT, "%s", namesAndValues[i + 1]));
    }
    statements.append(text.replace("@p@", prefix));
  }
}
