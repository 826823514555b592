// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.download;

import org.jspecify.annotations.Nullable;
import org.relaydiffusion.RdmException;
import org.relaydiffusion.launch.command.FileLocation;

/** Thrown when a file cannot be downloaded; the message begins with its URL. */
public final class DownloadException extends RdmException {
  private static final long serialVersionUID = 1L;

  DownloadException(FileLocation.Remote source, String what, @Nullable Throwable cause) {
    super("%s cannot be downloaded: %s".formatted(source, what), cause);
  }
}
