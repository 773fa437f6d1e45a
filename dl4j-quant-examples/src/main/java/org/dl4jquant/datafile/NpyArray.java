package org.dl4jquant.datafile;

import com.google.common.collect.ImmutableMap;
import java.io.DataInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * One array of numbers in NumPy's {@code .npy} format (versions 1 to 3): booleans, integers up to
 * 64 bits and floats, either byte order, either element order.
 *
 * @param shape the sizes; empty for a scalar
 * @param values the elements in row-major order, as doubles; integers beyond 2^53 lose precision;
 *     not copied
 */
@SuppressWarnings("ArrayRecordComponent") // a carrier between the reader and its caller
record NpyArray(int[] shape, double[] values) {
  private static final byte[] MAGIC = {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y'};
  private static final String TYPE_RULE =
      "element type must be float16, float32, float64, boolean or an integer of 8 to 64 bits";
  private static final int MAX_HEADER = 1 << 16;
  private static final int HALF_FRACTION = 10;
  private static final int HALF_EXPONENT_MASK = 0x1f;
  private static final int HALF_BIAS = 15;
  private static final Pattern TYPE = Pattern.compile("'descr'\\s*:\\s*'([<>|=]?)([biuf])(\\d)'");
  private static final Pattern ANY_TYPE =
      Pattern.compile("'descr'\\s*:\\s*(\\[.*\\]|'[<>|=]?([^']*)')");
  private static final ImmutableMap<String, String> OTHER_TYPES =
      ImmutableMap.<String, String>builder()
          .put("f12", "float96")
          .put("f16", "float128")
          .put("c8", "complex64")
          .put("c16", "complex128")
          .put("c32", "complex256")
          .put("O", "object")
          .buildOrThrow();
  private static final ImmutableMap<String, String> OTHER_KINDS =
      ImmutableMap.of("U", "str", "S", "bytes", "V", "void", "M", "datetime64", "m", "timedelta64");
  private static final Pattern ORDER = Pattern.compile("'fortran_order'\\s*:\\s*(True|False)");
  private static final Pattern SHAPE = Pattern.compile("'shape'\\s*:\\s*\\(([\\d,\\s]*)\\)");

  /** Reads one array and stops behind its last byte. */
  static NpyArray read(DataInputStream in, String name) throws IOException {
    String header = header(in, name);
    Matcher type = TYPE.matcher(header);
    if (!type.find()) {
      throw new InvalidDataFileException(name, TYPE_RULE + ", found " + foundType(header));
    }
    boolean fortran =
        find(ORDER, header, name, "must state its element order").group(1).equals("True");
    int[] shape = shape(find(SHAPE, header, name, "must state its shape").group(1), name);
    int width = Integer.parseInt(type.group(3));
    int elements = elements(shape, width, name);
    byte[] bytes = in.readNBytes(elements * width);
    if (bytes.length < elements * width) {
      throw new InvalidDataFileException(
          name, "must hold " + elements * width + " bytes of data, found " + bytes.length);
    }
    ByteOrder order = type.group(1).equals(">") ? ByteOrder.BIG_ENDIAN : ByteOrder.LITTLE_ENDIAN;
    double[] values = decode(ByteBuffer.wrap(bytes).order(order), type.group(2), width, name);
    return new NpyArray(shape, fortran ? rowMajor(values, shape) : values);
  }

  private static String header(DataInputStream in, String name) throws IOException {
    if (!Arrays.equals(in.readNBytes(MAGIC.length), MAGIC)) {
      throw new InvalidDataFileException(name, "is not a .npy array");
    }
    int version = in.readUnsignedByte();
    in.readUnsignedByte();
    long length =
        version == 1
            ? Short.toUnsignedInt(Short.reverseBytes(in.readShort()))
            : Integer.toUnsignedLong(Integer.reverseBytes(in.readInt()));
    if (version < 1 || version > 3 || length > MAX_HEADER) {
      throw new InvalidDataFileException(name, "has an unknown .npy header");
    }
    byte[] header = in.readNBytes((int) length);
    return new String(header, StandardCharsets.UTF_8);
  }

  /** Returns NumPy's name of an element type. */
  private static String foundType(String header) {
    Matcher any = ANY_TYPE.matcher(header);
    if (!any.find()) {
      return "header " + header.strip();
    }
    String code = any.group(2);
    if (code == null || code.isEmpty()) {
      return "a structure of fields";
    }
    return OTHER_TYPES.getOrDefault(
        code, OTHER_KINDS.getOrDefault(code.substring(0, 1), "'" + code + "'"));
  }

  private static Matcher find(Pattern pattern, String header, String name, String rule) {
    Matcher matcher = pattern.matcher(header);
    if (!matcher.find()) {
      throw new InvalidDataFileException(name, rule + ", found header " + header.strip());
    }
    return matcher;
  }

  private static int[] shape(String sizes, String name) {
    try {
      return Arrays.stream(sizes.split(","))
          .map(String::strip)
          .filter(size -> !size.isEmpty())
          .mapToInt(Integer::parseInt)
          .toArray();
    } catch (NumberFormatException e) {
      throw new InvalidDataFileException(name, "has a shape that is too large: " + sizes, e);
    }
  }

  private static int elements(int[] shape, int width, String name) {
    long elements = 1;
    for (int size : shape) {
      elements *= size;
      if (elements * width > Integer.MAX_VALUE - 8) {
        throw new InvalidDataFileException(
            name, "shape must fit into one array, found " + Arrays.toString(shape));
      }
    }
    return (int) elements;
  }

  private static double[] decode(ByteBuffer bytes, String kind, int width, String name) {
    double[] values = new double[bytes.remaining() / width];
    for (int i = 0; i < values.length; i++) {
      values[i] =
          switch (kind + width) {
            case "f2" -> half(bytes.getShort());
            case "f4" -> bytes.getFloat();
            case "f8" -> bytes.getDouble();
            case "i1" -> bytes.get();
            case "u1", "b1" -> Byte.toUnsignedInt(bytes.get());
            case "i2" -> bytes.getShort();
            case "u2" -> Short.toUnsignedInt(bytes.getShort());
            case "i4" -> bytes.getInt();
            case "u4" -> Integer.toUnsignedLong(bytes.getInt());
            case "i8", "u8" -> (double) bytes.getLong();
            default ->
                throw new InvalidDataFileException(
                    name, TYPE_RULE + ", found '" + kind + width + "'");
          };
    }
    return values;
  }

  /** Returns the value of an IEEE 754 number of 16 bits. */
  private static double half(short bits) {
    int exponent = bits >> HALF_FRACTION & HALF_EXPONENT_MASK;
    int fraction = bits & (1 << HALF_FRACTION) - 1;
    double magnitude;
    if (exponent == HALF_EXPONENT_MASK) {
      magnitude = fraction == 0 ? Double.POSITIVE_INFINITY : Double.NaN;
    } else if (exponent == 0) {
      magnitude = Math.scalb((double) fraction, 1 - HALF_BIAS - HALF_FRACTION);
    } else {
      magnitude =
          Math.scalb(
              (double) (fraction | 1 << HALF_FRACTION), exponent - HALF_BIAS - HALF_FRACTION);
    }
    return bits < 0 ? -magnitude : magnitude;
  }

  private static double[] rowMajor(double[] columnMajor, int[] shape) {
    double[] values = new double[columnMajor.length];
    int[] position = new int[shape.length];
    for (int i = 0; i < values.length; i++) {
      int source = 0;
      for (int axis = shape.length - 1; axis >= 0; axis--) {
        source = source * shape[axis] + position[axis];
      }
      values[i] = columnMajor[source];
      for (int axis = shape.length - 1; axis >= 0 && ++position[axis] == shape[axis]; axis--) {
        position[axis] = 0;
      }
    }
    return values;
  }

  /** Returns the elements as floats. */
  float[] floats() {
    float[] floats = new float[values.length];
    for (int i = 0; i < floats.length; i++) {
      floats[i] = (float) values[i];
    }
    return floats;
  }
}
