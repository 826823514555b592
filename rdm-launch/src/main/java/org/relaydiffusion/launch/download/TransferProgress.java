package org.relaydiffusion.launch.download;

import java.nio.file.Path;
import java.util.Locale;
import java.util.OptionalLong;
import org.relaydiffusion.launch.command.FileLocation;
import org.relaydiffusion.launch.progress.Durations;
import org.relaydiffusion.launch.progress.StatusLine;

/** How far a download is, on the status line. */
final class TransferProgress {
  private static final double MEGABYTE = 1e6;
  private static final double NANOS = 1e9;

  private final FileLocation.Remote source;
  private final StatusLine status;
  private final long began = System.nanoTime();

  TransferProgress(FileLocation.Remote source, StatusLine status) {
    this.source = source;
    this.status = status;
  }

  /**
   * Shows it, if it is time to.
   *
   * @param done bytes
   * @param total bytes, where the server says how many there are
   */
  void show(long done, OptionalLong total) {
    if (!status.isDue()) {
      return;
    }
    double seconds = (System.nanoTime() - began) / NANOS;
    double rate = done / seconds;
    String all = total.isPresent() ? " of " + megabytes(total.getAsLong()) : "";
    String left =
        total.isPresent() && rate > 0
            ? ", %s left".formatted(Durations.text((total.getAsLong() - done) / rate))
            : "";
    status.show(
        "downloading %s: %s%s MB, %s MB/s%s"
            .formatted(name(), megabytes(done), all, Durations.rate(rate / MEGABYTE), left));
  }

  /** Tells of the end. */
  void finished(long bytes, Path target) {
    status.print(
        "downloaded %s: %s MB in %s (%s)"
            .formatted(
                name(),
                megabytes(bytes),
                Durations.text((System.nanoTime() - began) / NANOS),
                target));
  }

  private String name() {
    String text = source.toString();
    return text.substring(text.lastIndexOf('/', text.length() - 2) + 1);
  }

  private static String megabytes(long bytes) {
    return String.format(Locale.ROOT, "%.1f", bytes / MEGABYTE);
  }
}
