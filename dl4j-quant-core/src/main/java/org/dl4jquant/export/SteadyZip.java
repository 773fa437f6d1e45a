package org.dl4jquant.export;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.time.LocalDateTime;
import java.util.zip.Deflater;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/** Writes a zip file whose bytes depend on its entries alone: not on the clock, nor on the zone. */
final class SteadyZip {
  /** Any local time after 1 January 1980, before which zip files also record a time zone. */
  private static final LocalDateTime TIME = LocalDateTime.of(1980, 2, 1, 0, 0);

  private final ZipOutputStream zip;

  SteadyZip(OutputStream out) {
    zip = new ZipOutputStream(out);
    zip.setLevel(Deflater.BEST_COMPRESSION);
  }

  void put(String name, byte[] content) throws IOException {
    open(name);
    zip.write(content);
    zip.closeEntry();
  }

  void put(String name, InputStream content) throws IOException {
    open(name);
    content.transferTo(zip);
    zip.closeEntry();
  }

  /** Ends the zip file; the stream below stays open. */
  void finish() throws IOException {
    zip.finish();
    zip.flush();
  }

  private void open(String name) throws IOException {
    ZipEntry entry = new ZipEntry(name);
    entry.setTimeLocal(TIME);
    zip.putNextEntry(entry);
  }
}
