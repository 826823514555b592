// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.data.convert;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.relaydiffusion.io.AtomicFile;

/**
 * Writes a data set as an uncompressed zip, atomically. Equal entries give equal files, because
 * timestamps are constant. More than 65,535 entries or more than 4 GB are written as zip64.
 */
final class ZipDatasetWriter implements DatasetWriter {
  private static final LocalDateTime NO_TIME = LocalDateTime.of(1980, 1, 1, 0, 0);
  private static final int BUFFER = 1 << 20;

  private final Path target;

  ZipDatasetWriter(Path target) {
    this.target = target;
  }

  @Override
  public void write(Content content) {
    AtomicFile.write(target, out -> write(content, out));
  }

  private static void write(Content content, FileChannel channel) throws IOException {
    // Neither stream is closed: both would close the channel, which must still be flushed to disk.
    BufferedOutputStream buffer =
        new BufferedOutputStream(Channels.newOutputStream(channel), BUFFER);
    ZipOutputStream zip = new ZipOutputStream(buffer);
    try {
      content.addTo((name, bytes) -> add(zip, name, bytes));
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
    zip.finish();
    buffer.flush();
  }

  private static void add(ZipOutputStream zip, String name, byte[] bytes) {
    CRC32 crc = new CRC32();
    crc.update(bytes);
    ZipEntry entry = new ZipEntry(name);
    entry.setMethod(ZipEntry.STORED);
    entry.setSize(bytes.length);
    entry.setCompressedSize(bytes.length);
    entry.setCrc(crc.getValue());
    entry.setTimeLocal(NO_TIME);
    try {
      zip.putNextEntry(entry);
      zip.write(bytes);
      zip.closeEntry();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
