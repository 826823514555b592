// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.nativeconfig;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import org.relaydiffusion.CancelledException;
import org.relaydiffusion.io.AtomicFile;
import org.relaydiffusion.io.InputFile;

/**
 * Checks a Linux library before it is loaded. The system's loader relies on the sizes in the file,
 * so an incomplete download would end the process with a bus error.
 */
final class ElfFile {
  private static final int HEADER_BYTES = 64;
  private static final int PROGRAM_HEADER_BYTES = 56;
  private static final int MAGIC = 0x464c457f; // 0x7f E L F, read little-endian

  private ElfFile() {}

  /**
   * Checks that the library is complete. A file that is not a 64-bit little-endian ELF file is left
   * to the system's loader, which reports its own error.
   *
   * @throws NativeLibraryException naming the file, if it is shorter than it declares
   * @throws CancelledException if the thread is interrupted
   */
  static void check(Path file) {
    try (FileChannel channel = InputFile.channel(file)) {
      long length = channel.size();
      ByteBuffer header = read(channel, 0, HEADER_BYTES);
      if (header.remaining() < HEADER_BYTES
          || header.getInt(0) != MAGIC
          || header.get(4) != 2
          || header.get(5) != 1) {
        return;
      }
      long needed = endOfSegments(channel, header, length);
      if (Long.compareUnsigned(needed, length) > 0) {
        throw new NativeLibraryException(
            "%s is truncated: it has %s bytes, but must have at least %s"
                .formatted(file, length, Long.toUnsignedString(needed)));
      }
    } catch (ClosedByInterruptException e) {
      throw CancelledException.interrupted("reading " + file, e);
    } catch (IOException e) {
      throw new NativeLibraryException(file + " cannot be read: " + AtomicFile.reason(e), e);
    }
  }

  private static long endOfSegments(FileChannel channel, ByteBuffer header, long length)
      throws IOException {
    long table = header.getLong(32);
    int entry = Short.toUnsignedInt(header.getShort(54));
    int count = Short.toUnsignedInt(header.getShort(56));
    if (table < 0) { // As an unsigned number, beyond the end of any file.
      return table;
    }
    long end = table + (long) entry * count;
    if (entry != PROGRAM_HEADER_BYTES || Long.compareUnsigned(end, length) > 0) {
      return end;
    }
    ByteBuffer entries = read(channel, table, entry * count);
    for (int at = 0; at + entry <= entries.remaining(); at += entry) {
      long segmentEnd = entries.getLong(at + 8) + entries.getLong(at + 32);
      end = Long.compareUnsigned(segmentEnd, end) > 0 ? segmentEnd : end;
    }
    return end;
  }

  private static ByteBuffer read(FileChannel channel, long from, int bytes) throws IOException {
    ByteBuffer buffer = ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    long at = from;
    while (buffer.hasRemaining()) {
      int n = channel.read(buffer, at);
      if (n < 0) {
        break;
      }
      at += n;
    }
    return buffer.flip();
  }
}
