package org.relaydiffusion.io;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.atomic.AtomicLong;
import org.relaydiffusion.CancelledException;
import org.relaydiffusion.FileException;

/**
 * A file mapped read-only. Only the pages that are touched are read, so a tensor can be used where
 * it lies. Every access is checked against the file's real length: no offset or size that a file
 * claims is believed.
 *
 * <p>{@link #close()} unmaps it: whoever hands its memory to LibTorch must keep it open for as
 * long. Reads from several threads are safe.
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
  private final Arena arena;
  private final MemorySegment memory;
  private final AtomicLong readOnce = new AtomicLong();

  private MappedFile(Path path, Arena arena, MemorySegment memory) {
    this.path = path;
    this.arena = arena;
    this.memory = memory;
  }

  /**
   * Maps a file. An empty file is allowed and has length 0.
   *
   * @throws FileException when it is missing, a folder, or unreadable
   * @throws CancelledException when the thread is interrupted meanwhile
   */
  @SuppressWarnings("MustBeClosedChecker") // The arena belongs to the MappedFile, which closes it.
  public static MappedFile open(Path path) {
    if (Files.isDirectory(path)) {
      throw new FileException(path, "is a folder, not a file");
    }
    Arena arena = Arena.ofShared();
    try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
      long size = channel.size();
      MemorySegment memory =
          size == 0
              ? MemorySegment.NULL.asReadOnly()
              : channel.map(FileChannel.MapMode.READ_ONLY, 0, size, arena);
      return new MappedFile(path, arena, memory);
    } catch (ClosedByInterruptException e) {
      arena.close();
      throw CancelledException.interrupted("reading " + path, e);
    } catch (IOException e) {
      arena.close();
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
   */
  public MemorySegment slice(long offset, long length, String what) {
    check(offset, length, what);
    return memory.asSlice(offset, length);
  }

  /** A copy of {@code length} bytes at {@code offset}; {@code length} is checked first. */
  public byte[] bytes(long offset, int length, String what) {
    return slice(offset, length, what).toArray(ValueLayout.JAVA_BYTE);
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

  private void check(long offset, long length, String what) {
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
    if (arena.scope().isAlive()) {
      arena.close();
    }
  }
}
