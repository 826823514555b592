// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.c10d;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;

/**
 * A table in a file: a list of what was set, in order, which every process reads on from where it
 * was. The first 8 bytes are the length of what is valid, and change last: a process that is killed
 * while it writes leaves the table as it was. A lock on the file keeps the others out meanwhile;
 * the system takes it back from a process that ends.
 *
 * <p>The file holds no state but its own: it is opened for each call, and lies in a folder that
 * only those can reach who may. It goes when the last process has left.
 */
public final class FileTable implements StoreAccess {
  private static final byte[] NOTHING = {};
  private static final int HEADER = Long.BYTES;
  private static final int RECORD_HEADER = 2 * Integer.BYTES;
  private static final long SHORTEST_MILLIS = 1;
  private static final long LONGEST_MILLIS = 50;
  private static final int READ_BYTES = 64 << 10;

  /** Counts those who have left; no key of a store begins so. */
  private static final String LEFT = "\0left";

  /** A file is locked for the whole process, which therefore takes one turn at a time. */
  private static final ReentrantLock TURN = new ReentrantLock();

  private final Path path;
  private final int worldSize;
  private final Map<String, byte[]> values = new HashMap<>();
  private long read = HEADER;
  private boolean closed;

  private FileTable(Path path, int worldSize) {
    this.path = path;
    this.worldSize = worldSize;
  }

  /**
   * Opens or makes the file.
   *
   * @param worldSize how many processes do
   */
  public static FileTable open(Path path, int worldSize, Deadline deadline) throws IOException {
    FileTable table = new FileTable(path, worldSize);
    table.with(deadline, _ -> true);
    return table;
  }

  @FunctionalInterface
  private interface Work<T> {
    T with(FileChannel file) throws IOException;
  }

  private <T> T with(Deadline deadline, Work<T> work) throws IOException {
    takeTurn(deadline);
    try {
      // Opening it would make an empty one again.
      if (closed) {
        throw new IOException("the store is closed");
      }
      return opened(deadline, work);
    } finally {
      TURN.unlock();
    }
  }

  /** Only its owner reads it where the system has rights: secrets of the processes are in it. */
  private FileAttribute<?>[] rights() {
    return path.getFileSystem().supportedFileAttributeViews().contains("posix")
        ? new FileAttribute<?>[] {
          PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"))
        }
        : new FileAttribute<?>[0];
  }

  private <T> T opened(Deadline deadline, Work<T> work) throws IOException {
    try (FileChannel file =
            FileChannel.open(
                path,
                Set.of(
                    StandardOpenOption.READ, StandardOpenOption.WRITE, StandardOpenOption.CREATE),
                rights());
        FileLock _ = lock(file, deadline)) {
      catchUp(file);
      return work.with(file);
    }
  }

  private static void takeTurn(Deadline deadline) throws IOException {
    while (true) {
      try {
        if (TURN.tryLock(deadline.slice(), TimeUnit.MILLISECONDS)) {
          return;
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
      deadline.check("another thread has the file");
    }
  }

  /** The plain lock could not be interrupted without an end of the file for all its users. */
  private static FileLock lock(FileChannel file, Deadline deadline) throws IOException {
    while (true) {
      FileLock lock = file.tryLock();
      if (lock != null) {
        return lock;
      }
      deadline.pause(SHORTEST_MILLIS, "another process has the file");
    }
  }

  /** Reads what was set since the last time. */
  private void catchUp(FileChannel file) throws IOException {
    long valid = file.size() < HEADER ? HEADER : Math.max(HEADER, at(file, 0, HEADER).getLong());
    if (valid < read || valid > Math.max(HEADER, file.size())) {
      throw new IOException("the file is not that of this store");
    }
    while (read < valid) {
      int used = take(at(file, read, (int) Math.min(READ_BYTES, valid - read)));
      if (used == 0) {
        used = takeLarge(file, valid - read);
      }
      read += used;
    }
  }

  private static ByteBuffer at(FileChannel file, long position, int size) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(size);
    while (bytes.hasRemaining()) {
      if (file.read(bytes, position + bytes.position()) < 0) {
        throw new EOFException("the file of the store has become shorter");
      }
    }
    return bytes.flip();
  }

  private static void write(FileChannel file, long position, ByteBuffer bytes) throws IOException {
    long start = position - bytes.position();
    while (bytes.hasRemaining()) {
      int _ = file.write(bytes, start + bytes.position());
    }
  }

  /** Takes the whole records, and tells how many bytes they have. */
  private int take(ByteBuffer bytes) throws IOException {
    int used = 0;
    while (bytes.remaining() >= RECORD_HEADER) {
      int keySize = size(bytes.getInt(), Query.LONGEST_KEY);
      int valueSize = size(bytes.getInt(), Query.LONGEST_VALUE);
      if (bytes.remaining() < keySize + valueSize) {
        break;
      }
      byte[] key = new byte[keySize];
      byte[] value = new byte[valueSize];
      bytes.get(key).get(value);
      values.put(new String(key, UTF_8), value);
      used = bytes.position();
    }
    return used;
  }

  private int takeLarge(FileChannel file, long left) throws IOException {
    if (left < RECORD_HEADER) {
      throw new EOFException("a record of the store is not whole");
    }
    ByteBuffer header = at(file, read, RECORD_HEADER);
    long size =
        (long) RECORD_HEADER
            + size(header.getInt(), Query.LONGEST_KEY)
            + size(header.getInt(), Query.LONGEST_VALUE);
    if (size > left) {
      throw new EOFException("a record of the store is not whole");
    }
    return take(at(file, read, (int) size));
  }

  private static int size(int size, int longest) throws IOException {
    if (size < 0 || size > longest) {
      throw new IOException("the file is not that of this store");
    }
    return size;
  }

  private void put(FileChannel file, String key, byte[] value) throws IOException {
    byte[] name = key.getBytes(UTF_8);
    if (name.length > Query.LONGEST_KEY || value.length > Query.LONGEST_VALUE) {
      throw new IOException(
          "a key has at most %s bytes and a value %s, not %s and %s"
              .formatted(Query.LONGEST_KEY, Query.LONGEST_VALUE, name.length, value.length));
    }
    ByteBuffer record = ByteBuffer.allocate(RECORD_HEADER + name.length + value.length);
    record.putInt(name.length).putInt(value.length).put(name).put(value);
    write(file, read, record.flip());
    // Only now is it there, for those who look when this process is gone.
    write(file, 0, ByteBuffer.allocate(HEADER).putLong(read + record.capacity()).flip());
    read += record.capacity();
    values.put(key, value.clone());
  }

  @Override
  public void set(String key, byte[] value, Deadline deadline) throws IOException {
    with(
        deadline,
        file -> {
          put(file, key, value);
          return true;
        });
  }

  @Override
  public byte[] get(String key, Deadline deadline) throws IOException {
    await(List.of(key), deadline);
    return with(deadline, _ -> values.getOrDefault(key, NOTHING).clone());
  }

  @Override
  public long add(String key, long amount, Deadline deadline) throws IOException {
    return with(deadline, file -> added(file, key, amount));
  }

  private long added(FileChannel file, String key, long amount) throws IOException {
    byte[] present = values.get(key);
    long before;
    try {
      before = present == null ? 0 : Long.parseLong(new String(present, UTF_8));
    } catch (NumberFormatException e) {
      throw new IOException("the value of %s is no number".formatted(key), e);
    }
    // A look at a counter is no change, and must not make the file longer.
    if (present == null || amount != 0) {
      put(file, key, Long.toString(before + amount).getBytes(UTF_8));
    }
    return before + amount;
  }

  @Override
  public boolean has(List<String> keys, Deadline deadline) throws IOException {
    return with(deadline, _ -> values.keySet().containsAll(keys));
  }

  @Override
  public byte[] compareSet(String key, byte[] expected, byte[] desired, Deadline deadline)
      throws IOException {
    return with(
        deadline,
        file -> {
          byte[] present = values.get(key);
          if (Arrays.equals(present == null ? NOTHING : present, expected)) {
            put(file, key, desired);
            return desired.clone();
          }
          return present == null ? expected.clone() : present.clone();
        });
  }

  @Override
  public void await(List<String> keys, Deadline deadline) throws IOException {
    long pause = SHORTEST_MILLIS;
    while (!has(keys, deadline)) {
      deadline.pause(pause, "keys without a value: " + String.join(", ", keys));
      pause = Math.min(2 * pause, LONGEST_MILLIS);
    }
  }

  /** Leaves; the last of all processes deletes the file. */
  @Override
  public void close() throws IOException {
    boolean interrupted = Thread.interrupted();
    try {
      Deadline soon = new Deadline(Duration.ofSeconds(5), () -> {});
      boolean last =
          Files.exists(path)
              && with(
                  soon,
                  file -> {
                    closed = true;
                    return added(file, LEFT, 1) >= worldSize;
                  });
      if (last) {
        Files.deleteIfExists(path);
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
