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
 * A file mapped read-only. Only the pages that are touched are read, so a tensor can be used where
 * it lies. Every access is checked against the file's real length: no offset or size that a file
 * claims is believed.
 *
 * <p>{@link #close()} unmaps it, or, where tensors still lie in it, leaves that to the end of the
 * last of them ({@link LeasedArena}). Reads from several threads are safe.
 *
 * <p>Another program may cut the file while it is mapped. What lies beyond the new end is then no
 * memory any more: Java's own access to it gives an {@link InternalError}, which {@link #reading}
 * and the methods that copy turn into a {@link FileException}; native code ends the process (see
 * {@link #checkWhole}).
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
  // Not the channel that it was mapped through: an interrupt would close that.
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
   * @throws FileException when it is missing, unreadable, or no regular file
   * @throws CancelledException when the thread is interrupted meanwhile
   */
  @SuppressWarnings("MustBeClosedChecker") // The MappedFile owns both, and closes them.
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

  /** The file that this is a map of. */
  public Path path() {
    return path;
  }

  /** The file's length in bytes. */
  public long size() {
    return memory.byteSize();
  }

  /**
   * The bytes [offset, offset + length), where they lie: read-only, valid until {@link #close()}.
   *
   * @param what what is to be found there, for the message
   * @throws FileException when the range is not inside the file
   * @throws IllegalStateException when the map is closed
   */
  public MemorySegment slice(long offset, long length, String what) {
    check(offset, length, what);
    return memory.asSlice(offset, length);
  }

  /** A copy of {@code length} bytes at {@code offset}; {@code length} is checked first. */
  public byte[] bytes(long offset, int length, String what) {
    MemorySegment found = slice(offset, length, what);
    return reading(() -> found.toArray(ValueLayout.JAVA_BYTE));
  }

  /**
   * As {@link #bytes}, where nobody will look again soon: the whole map's pages are let go every 32
   * MiB that are read so, in whatever order, with 64 KiB counted for what is mapped around each
   * piece. A large file that is read once does not fill the process's memory then.
   */
  public byte[] bytesOnce(long offset, int length, String what) {
    byte[] copy = bytes(offset, length, what);
    // Not these bytes' own pages only: Linux maps what lies around a page too, 64 KiB of it or, in
    // newer versions, as much as its cache holds in one piece.
    if (readOnce.addAndGet(length + MAPPED_AROUND) >= LET_GO_EVERY) {
      readOnce.set(0);
      memory.unload();
    }
    return copy;
  }

  /** The unsigned byte at {@code offset}. */
  public int u8(long offset, String what) {
    check(offset, 1, what);
    return memory.get(ValueLayout.JAVA_BYTE, offset) & 0xff;
  }

  /** The little-endian unsigned 16-bit number at {@code offset}. */
  public int u16(long offset, String what) {
    check(offset, 2, what);
    return memory.get(LE_SHORT, offset) & 0xffff;
  }

  /** The little-endian unsigned 32-bit number at {@code offset}. */
  public long u32(long offset, String what) {
    check(offset, 4, what);
    return memory.get(LE_INT, offset) & 0xffff_ffffL;
  }

  /** The little-endian 64-bit number at {@code offset}; a caller must expect negative values. */
  public long i64(long offset, String what) {
    check(offset, 8, what);
    return memory.get(LE_LONG, offset);
  }

  /**
   * Refuses a file that is now shorter than it was when it was mapped. For the moment before native
   * code is handed its memory: a cut that comes later ends the process, so this makes an accident
   * unlikely, not impossible.
   *
   * @throws FileException when another program has cut it
   */
  public void checkWhole() {
    long now = lengthNow();
    if (now < size()) {
      throw cut(now, null);
    }
  }

  /** What reads the map. */
  @FunctionalInterface
  public interface Reader<T, E extends Exception> {
    /** Reads. */
    T read() throws E;
  }

  /**
   * Reads the map in Java, and finds out if it was cut.
   *
   * <p>The virtual machine reports a fault some time after the access, at the latest in the next
   * native call: so this surrounds a piece of work, not a number, and what was read counts only
   * when this has returned.
   *
   * @param reader may read anything of the map; its result must not be used when this throws
   * @throws FileException when another program has cut the file
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

  /** Whether an error comes from reading memory of a mapped file that was cut. */
  public static boolean isFault(InternalError error) {
    return String.valueOf(error.getMessage()).contains("unsafe memory access");
  }

  private FileException cut(long now, @Nullable Throwable cause) {
    return new FileException(
        path,
        "was cut by another program while it was open: it had %s bytes, now %s"
            .formatted(size(), now),
        cause);
  }

  private long lengthNow() {
    try {
      return opened.length();
    } catch (IOException _) {
      // Nothing better is known than what was mapped.
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
          "%s needs %s bytes at offset %s, but the file has %s bytes"
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
        // Only read from: nothing is lost.
      }
    }
  }
}
