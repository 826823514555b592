// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.io;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.CancelledException;
import org.relaydiffusion.FileException;

/**
 * A file mapped read-only. Only accessed pages are read, so tensors can be used without a copy.
 * Every access is checked against the actual length of the file, since offsets and sizes in the
 * file are untrusted.
 *
 * <p>{@link #close()} unmaps it, or, while tensors still use it, leaves that to the last of them
 * ({@link LeasedArena}). Reads from several threads are safe.
 *
 * <p>Another program may truncate the file while it is mapped. Memory beyond the new end can no
 * longer be accessed: in Java, the access throws an {@link InternalError}, which {@link #reading}
 * and the methods that copy convert to a {@link FileException}; in native code, it ends the process
 * (see {@link #checkWhole}).
 */
public final class MappedFile implements AutoCloseable {
  private static final ValueLayout.OfInt LE_INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfShort LE_SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong LE_LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private static final long LET_GO_EVERY = 32 << 20;
  private static final long MAPPED_AROUND = 64 << 10;

  private final Path path;
  private final LeasedArena arena;
  private final MemorySegment memory;
  // Not the channel through which it was mapped, which an interrupt would close.
  private final RandomAccessFile opened;
  private final AtomicLong readOnce = new AtomicLong();

  private MappedFile(Path path, LeasedArena arena, MemorySegment memory, RandomAccessFile opened) {
    this.path = path;
    this.arena = arena;
    this.memory = memory;
    this.opened = opened;
  }

  /**
   * Maps a file. An empty file is allowed and has length 0.
   *
   * @return the map, which the caller closes
   * @throws FileException if it is missing, unreadable, or not a regular file
   * @throws CancelledException if the thread is interrupted
   */
  @SuppressWarnings("MustBeClosedChecker") // The MappedFile owns both and closes them.
  public static MappedFile open(Path path) {
    InputFile.check(path);
    LeasedArena arena = LeasedArena.open();
    RandomAccessFile opened = null;
    try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
      opened = new RandomAccessFile(path.toFile(), "r");
      long size = channel.size();
      MemorySegment memory =
          size == 0
              ? MemorySegment.NULL.asReadOnly()
              : channel.map(FileChannel.MapMode.READ_ONLY, 0, size, arena);
      return new MappedFile(path, arena, memory, opened);
    } catch (ClosedByInterruptException e) {
      arena.close();
      closeQuietly(opened);
      throw CancelledException.interrupted("reading " + path, e);
    } catch (IOException e) {
      arena.close();
      closeQuietly(opened);
      throw new FileException(path, "cannot be read: " + AtomicFile.reason(e), e);
    }
  }

  /** Returns the path of the mapped file. */
  public Path path() {
    return path;
  }

  /** Returns the length of the file in bytes. */
  public long size() {
    return memory.byteSize();
  }

  /**
   * Returns the bytes [offset, offset + length) without a copy: read-only, valid until {@link
   * #close()}.
   *
   * @param what the name of the data, for the message
   * @throws FileException if the range is not inside the file
   * @throws IllegalStateException if the map is closed
   */
  public MemorySegment slice(long offset, long length, String what) {
    check(offset, length, what);
    return memory.asSlice(offset, length);
  }

  /** Returns a copy of {@code length} bytes at {@code offset}; {@code length} is checked first. */
  public byte[] bytes(long offset, int length, String what) {
    MemorySegment found = slice(offset, length, what);
    return reading(() -> found.toArray(ValueLayout.JAVA_BYTE));
  }

  /**
   * Returns a copy as {@link #bytes}, for data that will not be read again soon: the pages of the
   * whole map are released after every 32 MiB read in this way, in any order, counting 64 KiB of
   * readahead for each access. Reading a large file once then does not fill the memory of the
   * process.
   */
  public byte[] bytesOnce(long offset, int length, String what) {
    byte[] copy = bytes(offset, length, what);
    // Not only the pages of these bytes: Linux also maps adjacent pages, 64 KiB of them or, in
    // newer versions, as much as its cache holds in one folio.
    if (readOnce.addAndGet(length + MAPPED_AROUND) >= LET_GO_EVERY) {
      readOnce.set(0);
      memory.unload();
    }
    return copy;
  }

  /** Returns the unsigned byte at {@code offset}. */
  public int u8(long offset, String what) {
    check(offset, 1, what);
    return memory.get(ValueLayout.JAVA_BYTE, offset) & 0xff;
  }

  /** Returns the little-endian unsigned 16-bit number at {@code offset}. */
  public int u16(long offset, String what) {
    check(offset, 2, what);
    return memory.get(LE_SHORT, offset) & 0xffff;
  }

  /** Returns the little-endian unsigned 32-bit number at {@code offset}. */
  public long u32(long offset, String what) {
    check(offset, 4, what);
    return memory.get(LE_INT, offset) & 0xffff_ffffL;
  }

  /** Returns the little-endian 64-bit number at {@code offset}, which may be negative. */
  public long i64(long offset, String what) {
    check(offset, 8, what);
    return memory.get(LE_LONG, offset);
  }

  /**
   * Rejects a file that is shorter now than when it was mapped. Called just before native code
   * receives its memory: a later truncation ends the process, so this makes an accident unlikely,
   * not impossible.
   *
   * @throws FileException if another program has truncated it
   */
  public void checkWhole() {
    long now = lengthNow();
    if (now < size()) {
      throw cut(now, null);
    }
  }

  /** Reads the map. */
  @FunctionalInterface
  public interface Reader<T, E extends Exception> {
    /** Reads. */
    T read() throws E;
  }

  /**
   * Reads the map in Java, and detects whether the file was truncated.
   *
   * <p>The virtual machine reports a fault some time after the access, at the latest in the next
   * native call. This method therefore wraps a piece of work rather than a single access, and its
   * result is only valid after it has returned.
   *
   * @param reader may read anything in the map; its result must not be used if this throws
   * @throws FileException if another program has truncated the file
   */
  public <T, E extends Exception> T reading(Reader<T, E> reader) throws E {
    try {
      T result = reader.read();
      checkWhole();
      return result;
    } catch (InternalError e) {
      if (isFault(e)) {
        throw cut(lengthNow(), e);
      }
      throw e;
    }
  }

  /** Returns whether an error was caused by reading the memory of a truncated mapped file. */
  public static boolean isFault(InternalError error) {
    return String.valueOf(error.getMessage()).contains("unsafe memory access");
  }

  private FileException cut(long now, @Nullable Throwable cause) {
    return new FileException(
        path,
        "was truncated by another program while it was open, from %s bytes to %s"
            .formatted(size(), now),
        cause);
  }

  private long lengthNow() {
    try {
      return opened.length();
    } catch (IOException _) {
      // The current length is unknown.
      return size();
    }
  }

  private void check(long offset, long length, String what) {
    if (arena.isClosed()) {
      throw new IllegalStateException("the map of " + path + " is closed");
    }
    if (offset < 0 || length < 0 || length > size() - offset) {
      throw new FileException(
          path,
          "%s requires %s bytes at offset %s, but the file has %s bytes"
              .formatted(
                  what, Long.toUnsignedString(length), Long.toUnsignedString(offset), size()));
    }
  }

  @Override
  public void close() {
    arena.close();
    closeQuietly(opened);
  }

  private static void closeQuietly(@Nullable RandomAccessFile file) {
    if (file != null) {
      try {
        file.close();
      } catch (IOException _) {
        // The file was only read: nothing is lost.
      }
    }
  }
}
