// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.download;

import java.nio.file.Path;
import java.util.Locale;
import java.util.OptionalLong;
import org.relaydiffusion.launch.command.FileLocation;
import org.relaydiffusion.launch.progress.Durations;
import org.relaydiffusion.launch.progress.StatusLine;

/** Shows the progress of a download on the status line. */
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
   * Updates the status line, if it is due.
   *
   * @param done bytes received
   * @param total total bytes, if the server has sent the length
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

  /** Prints the end of the download. */
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
