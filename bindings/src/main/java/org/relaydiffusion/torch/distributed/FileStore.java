package org.relaydiffusion.torch.distributed;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.relaydiffusion.FileException;
import org.relaydiffusion.torch.cpp.CppStore;

/**
 * A store in a file that all processes reach ({@code FileStore}). The file is for one job: it must
 * not be there before, and goes when the last process has left.
 */
public final class FileStore extends Store {
  private static final Duration DEFAULT_TIMEOUT = Duration.ofMinutes(5);

  private final Path path;

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
   * @throws org.relaydiffusion.nativeconfig.NativeLibraryException when LibTorch is not the bundled
   *     one
   */
  public FileStore(Path path, int worldSize, Duration timeout, WaitListener listener) {
    super(
        path.toString(),
        checked(timeout),
        listener,
        () -> "opening store " + path,
        () -> CppStore.file(checkedPath(path).toString(), checkedSize(worldSize), timeout));
    this.path = path;
  }

  @Override
  String place() {
    return path.toString();
  }

  private static Path checkedPath(Path path) {
    Path absolute = path.toAbsolutePath();
    Path folder = absolute.getParent();
    if (folder == null || !Files.isDirectory(folder)) {
      throw new FileException(path, "its folder does not exist");
    }
    if (Files.isDirectory(absolute)) {
      throw new FileException(path, "a store is a file, and this is a folder");
    }
    return absolute;
  }
}
