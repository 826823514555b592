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
 * Fetches files that are given by their address. A file is downloaded once, whole or not at all,
 * and found in the cache from then on. Of several processes of a machine that need it at the same
 * time, one downloads while the others wait; where files cannot be locked each downloads for
 * itself, and the last one's file stays.
 */
public final class Downloads {
  /** After so long without an answer or a byte, a server has gone. */
  private static final Duration LONGEST_SILENCE = Duration.ofSeconds(60);

  private final Console console;
  private final boolean quiet;
  private final StopSignal stop;
  private final Duration longestSilence;

  /**
   * Downloads for one command.
   *
   * @param console where progress is told, and whose variables name the cache folder
   * @param quiet whether nothing is told
   * @param stop ends a download
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
   * The file that a location stands for; nothing is downloaded yet.
   *
   * @throws org.relaydiffusion.RdmException when there is no cache folder for it
   */
  public SourceFile locate(FileLocation location) {
    return switch (location) {
      case FileLocation.Local(Path path) -> SourceFile.of(path);
      case FileLocation.Remote _ ->
          new SourceFile(location, DownloadCache.of(console.environment()).file(location));
    };
  }

  /**
   * Makes sure that a file is on this machine, if it is given by its address.
   *
   * @throws DownloadException when it cannot be downloaded
   * @throws FileException when it cannot be written
   * @throws InterruptedRunException when the end was asked for; nothing is left behind
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
          "stopped before %s was downloaded; nothing of it is kept".formatted(remote), e);
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
        // What killed processes left.
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
          "cannot be made: %s; RDM_CACHE=DIR chooses another cache folder"
              .formatted(AtomicFile.reason(e)),
          e);
    }
  }

  private static Path folder(Path target) {
    return target.resolveSibling("");
  }
}
