package org.relaydiffusion.checkpoint.archive;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.zip.CRC32;
import org.relaydiffusion.Printable;

/**
 * A stored (not compressed) entry of a zip archive.
 *
 * @param name with the archive's root folder
 * @param memory the entry's bytes, where they lie
 * @param crc the checksum written beside them
 */
record ZipEntry(String name, MemorySegment memory, int crc) {
  private static final long CHUNK = 256 << 10;

  /**
   * Reads the bytes once and compares their checksum.
   *
   * @throws org.relaydiffusion.FileException when it is not the one written
   */
  void checkCrc(CheckpointFile file) {
    CRC32 sum = new CRC32();
    // Copied first: summed where they lie, bytes of a file that was cut would end the process.
    byte[] chunk = new byte[(int) Math.min(CHUNK, memory.byteSize())];
    for (long at = 0; at < memory.byteSize(); at += CHUNK) {
      int length = (int) Math.min(CHUNK, memory.byteSize() - at);
      MemorySegment.copy(memory, ValueLayout.JAVA_BYTE, at, chunk, 0, length);
      sum.update(chunk, 0, length);
    }
    if ((int) sum.getValue() != crc) {
      throw file.bad(
          "entry '%s' has the checksum %08x, but %08x was written: the file is damaged"
              .formatted(Printable.of(name), sum.getValue(), crc));
    }
  }
}
