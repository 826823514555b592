// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.download;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.relaydiffusion.CancelledException;
import org.relaydiffusion.FileException;
import org.relaydiffusion.io.AtomicFile;
import org.relaydiffusion.launch.command.Console;
import org.relaydiffusion.launch.command.FileLocation;
import org.relaydiffusion.launch.command.InterruptedRunException;
import org.relaydiffusion.launch.command.StopSignal;
import org.relaydiffusion.launch.progress.StatusLine;

/**
 * Downloads files given by URL. A file is downloaded once, atomically, and then found in the cache.
 * If several processes on a host need it at the same time, one downloads while the others wait; if
 * files cannot be locked, each downloads the file itself, and that of the last one remains.
 */
public final class Downloads {
  /** The timeout of a server that sends no response or no data. */
  private static final Duration LONGEST_SILENCE = Duration.ofSeconds(60);

  private final Console console;
  private final boolean quiet;
  private final StopSignal stop;
  private final Duration longestSilence;

  /**
   * Creates the downloads of one command.
   *
   * @param console receives the progress; its variables determine the cache folder
   * @param quiet whether to print nothing
   * @param stop cancels a download
   */
  public Downloads(Console console, boolean quiet, StopSignal stop) {
    this(console, quiet, stop, LONGEST_SILENCE);
  }

  Downloads(Console console, boolean quiet, StopSignal stop, Duration longestSilence) {
    this.console = console;
    this.quiet = quiet;
    this.stop = stop;
    this.longestSilence = longestSilence;
  }

  /**
   * Returns the file of a location without downloading it.
   *
   * @throws org.relaydiffusion.RdmException if there is no cache folder for it
   */
  public SourceFile locate(FileLocation location) {
    return switch (location) {
      case FileLocation.Local(Path path) -> SourceFile.of(path);
      case FileLocation.Remote _ ->
          new SourceFile(location, DownloadCache.of(console.environment()).file(location));
    };
  }

  /**
   * Downloads a file that is given by URL, unless it is in the cache.
   *
   * @throws DownloadException if it cannot be downloaded
   * @throws FileException if it cannot be written
   * @throws InterruptedRunException if a stop was requested; nothing is left behind
   */
  public void fetch(SourceFile source) {
    if (!(source.location() instanceof FileLocation.Remote remote)
        || Files.isRegularFile(source.path())) {
      return;
    }
    StatusLine status = StatusLine.of(console, StatusLine.kind(console, !quiet));
    try (StopInterrupt _ = new StopInterrupt(stop)) {
      download(remote, source.path(), status);
    } catch (CancelledException e) {
      throw new InterruptedRunException(
          "stopped before %s was downloaded; the partial download was discarded".formatted(remote),
          e);
    } finally {
      status.clear();
    }
  }

  private void download(FileLocation.Remote remote, Path target, StatusLine status) {
    makeFolder(target);
    try (DownloadLock lock =
        DownloadLock.take(
            target, () -> status.print("waiting for another process to download " + remote))) {
      if (Files.isRegularFile(target)) {
        return;
      }
      if (lock.isHeld()) {
        // Delete temporary files of killed processes.
        AtomicFile.discardTemporaries(folder(target));
      }
      status.print("downloading %s to %s".formatted(remote, target));
      new HttpDownload(
              remote,
              target,
              new TransferProgress(remote, status),
              new EnvironmentProxies(console.environment()),
              longestSilence)
          .run();
    }
  }

  private static void makeFolder(Path target) {
    try {
      Files.createDirectories(folder(target));
    } catch (IOException e) {
      throw new FileException(
          folder(target),
          "cannot be created: %s; set RDM_CACHE=DIR to use another cache folder"
              .formatted(AtomicFile.reason(e)),
          e);
    }
  }

  private static Path folder(Path target) {
    return target.resolveSibling("");
  }
}
