// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.distributed;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import org.relaydiffusion.FileException;
import org.relaydiffusion.torch.TorchException;
import org.relaydiffusion.torch.c10d.FileTable;
import org.relaydiffusion.torch.cpp.CppException;
import org.relaydiffusion.torch.cpp.CppStore;

/**
 * A store in a file that all processes reach, in a format of its own. The file is for one job: it
 * must not be there before, and goes when the last process has left.
 */
public final class FileStore extends Store {
  private static final Duration DEFAULT_TIMEOUT = Duration.ofMinutes(5);

  private static final String LOOPBACK = "127.0.0.1";

  private final Path path;
  private final int worldSize;
  private final Optional<String> localAddress;

  /** As {@link #FileStore(Path, int, Duration)}, waiting for 5 minutes. */
  public FileStore(Path path, int worldSize) {
    this(path, worldSize, DEFAULT_TIMEOUT);
  }

  /** As {@link #FileStore(Path, int, Duration, WaitListener)}, telling nobody. */
  public FileStore(Path path, int worldSize, Duration timeout) {
    this(path, worldSize, timeout, WaitListener.NONE);
  }

  /**
   * Opens or makes the file.
   *
   * @param path the file; its folder must exist
   * @param worldSize how many processes there are, this one included
   * @param timeout how long to wait for a value
   * @param listener told while this process waits
   * @throws FileException when there is no such folder
   * @throws org.relaydiffusion.OptionException when the size or the time-out cannot be
   */
  public FileStore(Path path, int worldSize, Duration timeout, WaitListener listener) {
    this(path, worldSize, timeout, listener, Optional.empty());
  }

  private FileStore(
      Path path,
      int worldSize,
      Duration timeout,
      WaitListener listener,
      Optional<String> localAddress) {
    Path file = checkedPath(path);
    int size = checkedSize(worldSize);
    SharedAccess share =
        opened(
            path.toString(),
            checked(timeout),
            listener,
            () -> "opening store " + path,
            deadline -> new SharedAccess(FileTable.open(file, size, deadline), () -> {}));
    super(share, "", timeout, listener);
    this.path = path;
    this.worldSize = size;
    this.localAddress = localAddress;
  }

  /**
   * As {@link #FileStore(Path, int, Duration, WaitListener)}, for processes that are all on this
   * machine: groups that meet here listen at its loopback address only.
   */
  public static FileStore ofThisMachine(
      Path path, int worldSize, Duration timeout, WaitListener listener) {
    return new FileStore(path, worldSize, timeout, listener, Optional.of(LOOPBACK));
  }

  @Override
  String place() {
    return path.toString();
  }

  @Override
  Optional<String> localAddress() {
    return localAddress;
  }

  /** LibTorch's own format is another one, so its file is another too, beside this one. */
  @Override
  CppStore cppStore(String name, Duration limit) throws CppException {
    String suffix = "." + name.replaceAll("[^A-Za-z0-9_]", "-");
    return CppStore.file(path.toAbsolutePath() + suffix, worldSize, limit);
  }

  private static Path checkedPath(Path path) {
    TorchException.requireNonNull(path, "path");
    Path absolute = path.toAbsolutePath();
    Path folder = absolute.getParent();
    if (folder == null || !Files.isDirectory(folder)) {
      throw new FileException(path, "its folder does not exist");
    }
    if (Files.isDirectory(absolute)) {
      throw new FileException(path, "a store is a file, and this is a folder");
    }
    if (Files.exists(absolute) && !Files.isRegularFile(absolute)) {
      throw new FileException(path, "a store is a regular file");
    }
    return absolute;
  }
}
