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
 * The lock on a run's folder: the system's lock on the file {@value #FILE} in it, and beside that,
 * as the file's text, who holds it. The system ends the lock with the process, however that ends;
 * the file stays.
 *
 * <p>Where the file system has no locks, the text alone decides: a process of this host that is
 * still alive is refused to, and one of another host cannot be asked, which {@link #doubt()} says.
 */
final class RunLock implements AutoCloseable {
  /** The file in the run's folder. */
  static final String FILE = ".run-lock";

  /** Behind any text: where locks are mandatory, the text of a locked file can still be read. */
  private static final long LOCKED_BYTE = Long.MAX_VALUE - 1;

  private static final Duration PAUSE = Duration.ofMillis(100);

  /**
   * The folders that this process holds. A process's locks on a file all end when it closes the
   * file once, so that it must never open a file whose lock it holds.
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
   * Takes the lock of a folder that is there.
   *
   * @param patience how long to wait for a holder that may be about to end
   * @throws FolderInUseException naming the holder
   * @throws FileException when the file cannot be written
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
   * Refuses a folder that another process holds, without taking it or writing anything.
   *
   * @throws FolderInUseException naming the holder
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
   * @return what cannot be known, where the file system has no locks
   */
  private static Optional<String> obtain(FileChannel channel) throws IOException, HeldException {
    FileLock lock;
    try {
      lock = channel.tryLock(LOCKED_BYTE, 1, false);
    } catch (ClosedChannelException e) {
      throw e; // Of a thread that was interrupted; it says nothing about locks.
    } catch (IOException e) {
      return withoutLocks(Holder.read(channel), AtomicFile.reason(e));
    }
    if (lock == null) {
      throw new HeldException(
          Holder.read(channel).map(Holder::words).orElse("another process, which has just begun"));
    }
    return Optional.empty();
  }

  /** Decides by the text alone. */
  static Optional<String> withoutLocks(Optional<Holder> holder, String reason)
      throws HeldException {
    if (holder.isEmpty()) {
      return Optional.of("this file system has no locks (%s)".formatted(reason));
    }
    Holder found = holder.get();
    if (found.isAliveHere()) {
      throw new HeldException(found.words());
    }
    return Optional.of(
        found.isOfThisHost()
            ? "this file system has no locks (%s)".formatted(reason)
            : "this file system has no locks (%s): whether %s still writes here cannot be known"
                .formatted(reason, found.words()));
  }

  /** What to know about the lock: that the file system has none. */
  Optional<String> doubt() {
    return doubt;
  }

  /** Gives the folder back. */
  @Override
  public void close() {
    if (HELD.contains(folder) && channel.isOpen()) {
      try {
        channel.truncate(0);
      } catch (IOException e) {
        // The text is for the reader; the lock ends with the channel.
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
        // Nothing more can be done about it, and the lock is gone with the process at the latest.
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
      throw CancelledException.interrupted("waiting for the run's folder", e);
    }
  }

  private static RdmException unusable(Path folder, IOException e) {
    if (e instanceof ClosedByInterruptException) {
      return CancelledException.interrupted("locking " + folder, e);
    }
    return e instanceof NoSuchFileException
        ? new FileException(folder, "is not there any more", e)
        : new FileException(folder.resolve(FILE), "cannot be locked: " + AtomicFile.reason(e), e);
  }

  /** Signals that somebody holds the lock. */
  static final class HeldException extends Exception {
    private static final long serialVersionUID = 1L;

    private final String holder;

    HeldException(String holder) {
      super(holder);
      this.holder = holder;
    }
  }

  /**
   * Who holds a lock.
   *
   * @param host its name
   * @param pid the process there
   * @param started when the process began, as the system says; the time of locking where it does
   *     not
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
        // Asking the system, not a name server, which may take its time or not know this host.
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
        // On to the end.
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
        return Optional.empty(); // Not whole yet, or not ours.
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
