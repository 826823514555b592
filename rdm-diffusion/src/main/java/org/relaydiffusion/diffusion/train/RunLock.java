// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.train;

import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.time.temporal.ChronoUnit;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.CancelledException;
import org.relaydiffusion.FileException;
import org.relaydiffusion.RdmException;
import org.relaydiffusion.io.AtomicFile;
import org.relaydiffusion.io.InputFile;

/**
 * The lock of a run's folder: the operating system's lock on the file {@value #FILE} in it, and its
 * owner as the content of that file. The system releases the lock when the process ends, for
 * whatever reason; the file remains.
 *
 * <p>If the file system does not support locks, the content alone decides: the folder is considered
 * owned by a process of this host that is alive; a process of another host cannot be checked, which
 * {@link #doubt()} reports.
 */
final class RunLock implements AutoCloseable {
  /** The file in the folder of the run. */
  static final String FILE = ".run-lock";

  /**
   * The locked byte, beyond any text: where locks are mandatory, the text of a locked file can
   * still be read.
   */
  private static final long LOCKED_BYTE = Long.MAX_VALUE - 1;

  private static final Duration PAUSE = Duration.ofMillis(100);

  /**
   * The folders owned by this process. All locks of a process on a file are released when it closes
   * the file once, so it must never open a file whose lock it holds.
   */
  private static final Set<Path> HELD = ConcurrentHashMap.newKeySet();

  private final Path folder;
  private final FileChannel channel;
  private final Optional<String> doubt;

  private RunLock(Path folder, FileChannel channel, Optional<String> doubt) {
    this.folder = folder;
    this.channel = channel;
    this.doubt = doubt;
  }

  /**
   * Locks an existing folder.
   *
   * @param patience how long to wait for an owner that may be about to end
   * @throws FolderInUseException naming the owner
   * @throws FileException if the file cannot be written
   */
  static RunLock take(Path folder, Duration patience) {
    long began = System.nanoTime();
    while (true) {
      try {
        return tryOnce(folder);
      } catch (HeldException e) {
        if (System.nanoTime() - began >= patience.toNanos()) {
          throw new FolderInUseException(folder, e.holder, e);
        }
        pause();
      }
    }
  }

  /**
   * Rejects a folder that another process owns, without locking it or writing anything.
   *
   * @throws FolderInUseException naming the owner
   */
  static void check(Path folder) {
    if (!Files.exists(folder.resolve(FILE))) {
      return;
    }
    InputFile.check(folder.resolve(FILE));
    if (HELD.contains(key(folder))) {
      throw new FolderInUseException(folder);
    }
    try (FileChannel channel =
        FileChannel.open(folder.resolve(FILE), StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      obtain(channel);
    } catch (HeldException e) {
      throw new FolderInUseException(folder, e.holder, e);
    } catch (IOException e) {
      throw unusable(folder, e);
    }
  }

  private static RunLock tryOnce(Path folder) throws HeldException {
    Path key = key(folder);
    if (!HELD.add(key)) {
      throw new HeldException("this process");
    }
    FileChannel channel = null;
    RunLock taken = null;
    try {
      InputFile.check(folder.resolve(FILE));
      channel =
          FileChannel.open(
              folder.resolve(FILE),
              StandardOpenOption.CREATE,
              StandardOpenOption.READ,
              StandardOpenOption.WRITE);
      Optional<String> doubt = obtain(channel);
      channel.truncate(0);
      channel.write(ByteBuffer.wrap(Holder.self().text().getBytes(StandardCharsets.UTF_8)), 0);
      channel.force(true);
      taken = new RunLock(key, channel, doubt);
      return taken;
    } catch (IOException e) {
      throw unusable(folder, e);
    } finally {
      if (taken == null) {
        HELD.remove(key);
        close(channel);
      }
    }
  }

  /**
   * Locks an open file.
   *
   * @return a warning, if the file system does not support locks
   */
  private static Optional<String> obtain(FileChannel channel) throws IOException, HeldException {
    FileLock lock;
    try {
      lock = channel.tryLock(LOCKED_BYTE, 1, false);
    } catch (ClosedChannelException e) {
      throw e; // The thread was interrupted; not a failure to lock.
    } catch (IOException e) {
      return withoutLocks(Holder.read(channel), AtomicFile.reason(e));
    }
    if (lock == null) {
      throw new HeldException(
          Holder.read(channel)
              .map(Holder::words)
              .orElse("another process, which has just started"));
    }
    return Optional.empty();
  }

  /** Decides by the content alone. */
  static Optional<String> withoutLocks(Optional<Holder> holder, String reason)
      throws HeldException {
    if (holder.isEmpty()) {
      return Optional.of("this file system does not support locks (%s)".formatted(reason));
    }
    Holder found = holder.get();
    if (found.isAliveHere()) {
      throw new HeldException(found.words());
    }
    return Optional.of(
        found.isOfThisHost()
            ? "this file system does not support locks (%s)".formatted(reason)
            : ("this file system does not support locks (%s): cannot determine whether %s is still"
                    + " running")
                .formatted(reason, found.words()));
  }

  /** Returns a warning if the file system does not support locks. */
  Optional<String> doubt() {
    return doubt;
  }

  /** Releases the folder. */
  @Override
  public void close() {
    if (HELD.contains(folder) && channel.isOpen()) {
      try {
        channel.truncate(0);
      } catch (IOException e) {
        // The text is informative; the lock is released with the channel.
      }
      close(channel);
      HELD.remove(folder);
    }
  }

  private static void close(@Nullable FileChannel channel) {
    if (channel != null) {
      try {
        channel.close();
      } catch (IOException e) {
        // Nothing more can be done; the lock is released at the latest when the process ends.
      }
    }
  }

  private static Path key(Path folder) {
    try {
      return folder.toRealPath();
    } catch (IOException e) {
      throw unusable(folder, e);
    }
  }

  private static void pause() {
    try {
      Thread.sleep(PAUSE);
    } catch (InterruptedException e) {
      throw CancelledException.interrupted("waiting for the run folder", e);
    }
  }

  private static RdmException unusable(Path folder, IOException e) {
    if (e instanceof ClosedByInterruptException) {
      return CancelledException.interrupted("locking " + folder, e);
    }
    return e instanceof NoSuchFileException
        ? new FileException(folder, "no longer exists", e)
        : new FileException(folder.resolve(FILE), "cannot be locked: " + AtomicFile.reason(e), e);
  }

  /** Thrown if the lock is held by another process. */
  static final class HeldException extends Exception {
    private static final long serialVersionUID = 1L;

    private final String holder;

    HeldException(String holder) {
      super(holder);
      this.holder = holder;
    }
  }

  /**
   * The owner of a lock.
   *
   * @param host its host name
   * @param pid its process id
   * @param started when the process started, according to the system; otherwise the time of locking
   */
  record Holder(String host, long pid, Instant started) {
    private static final int MOST_BYTES = 1024;

    static Holder self() {
      ProcessHandle me = ProcessHandle.current();
      return new Holder(
          hostName(), me.pid(), seconds(me.info().startInstant().orElse(Instant.now())));
    }

    private static Instant seconds(Instant time) {
      return time.truncatedTo(ChronoUnit.SECONDS);
    }

    private static String hostName() {
      try {
        // Ask the system, not a name server, which may be slow or not know this host.
        return InputFile.text(Path.of("/proc/sys/kernel/hostname")).strip();
      } catch (IOException e) {
        try {
          return InetAddress.getLocalHost().getHostName();
        } catch (UnknownHostException unknown) {
          return "unknown";
        }
      }
    }

    String text() {
      return "host: %s\npid: %s\nstarted: %s\n".formatted(host, pid, started);
    }

    String words() {
      return "process %s of host %s, started %s".formatted(pid, host, started);
    }

    static Optional<Holder> read(FileChannel channel) throws IOException {
      ByteBuffer bytes = ByteBuffer.allocate(MOST_BYTES);
      while (bytes.hasRemaining() && channel.read(bytes, bytes.position()) > 0) {
        // Read to the end.
      }
      return parse(new String(bytes.array(), 0, bytes.position(), StandardCharsets.UTF_8));
    }

    static Optional<Holder> parse(String text) {
      String[] values = {"", "", ""};
      String[] names = {"host: ", "pid: ", "started: "};
      text.lines()
          .forEach(line -> {
            for (int i = 0; i < names.length; i++) {
              if (line.startsWith(names[i])) {
                values[i] = line.substring(names[i].length()).strip();
              }
            }
          });
      try {
        return Optional.of(
            new Holder(
                values[0].replaceAll("[^\\w.:-]", "?"),
                Long.parseLong(values[1]),
                Instant.parse(values[2])));
      } catch (NumberFormatException | DateTimeParseException e) {
        return Optional.empty(); // Incomplete, or not written by this program.
      }
    }

    boolean isOfThisHost() {
      return host.equals(hostName());
    }

    boolean isAliveHere() {
      return isOfThisHost()
          && ProcessHandle.of(pid)
              .filter(ProcessHandle::isAlive)
              .flatMap(p -> p.info().startInstant())
              .map(Holder::seconds)
              .filter(started::equals)
              .isPresent();
    }
  }
}
