package org.dl4jquant.datafile;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.zip.GZIPInputStream;

/** Streams that may be gzip-compressed or not. */
final class Gzip {
  private static final int MAGIC_1 = 0x1f;
  private static final int MAGIC_2 = 0x8b;

  private Gzip() {}

  /** Returns the uncompressed content, whether or not {@code stream} is compressed. */
  static InputStream decompress(InputStream stream) throws IOException {
    BufferedInputStream in = new BufferedInputStream(stream);
    in.mark(2);
    boolean gzip = in.read() == MAGIC_1 && in.read() == MAGIC_2;
    in.reset();
    return gzip ? new GZIPInputStream(in) : in;
  }
}
