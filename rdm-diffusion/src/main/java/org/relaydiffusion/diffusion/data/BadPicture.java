// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.data;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.FileException;
import org.relaydiffusion.RdmException;

/**
 * An image that cannot be part of a data set.
 *
 * @param name its name in the source
 * @param message one line that begins with the name used in messages and describes the problem
 */
public record BadPicture(String name, String message) {
  private static final int MOST_TOLD = 3;

  /** Receives such images, in order, on the thread that requested them. */
  @FunctionalInterface
  public interface Listener {
    /** Ignores all images. */
    Listener NONE = _ -> {};

    /** Called for each bad image. */
    void found(BadPicture picture);
  }

  /**
   * Returns the bad image if an error is caused by the image itself.
   *
   * @param name the name of the image in its source
   * @param file the name used in messages
   * @param error the error of reading it
   * @return empty if the error has another cause, such as a lack of memory or a disk that does not
   *     respond; it should then be rethrown
   */
  public static Optional<BadPicture> of(String name, Path file, FileException error) {
    String message = String.valueOf(error.getMessage());
    boolean itsOwn =
        message.startsWith(new FileException(file, "").getMessage())
            && !(error.getCause() instanceof OutOfMemoryError)
            && !isOfTheDisk(error.getCause());
    return itsOwn ? Optional.of(new BadPicture(name, message)) : Optional.empty();
  }

  /**
   * A broken link and a file without read permission are permanent; any other error may be
   * temporary.
   */
  private static boolean isOfTheDisk(@Nullable Throwable cause) {
    return cause instanceof IOException
        && !(cause instanceof NoSuchFileException)
        && !(cause instanceof AccessDeniedException);
  }

  /**
   * Returns the error of a data set with bad images, with the first ones and their number.
   *
   * @param first at least one, in order; need not be complete
   * @param count of all bad images
   * @param total number of images that were checked
   */
  public static RdmException failure(List<BadPicture> first, int count, int total) {
    if (count == 1) {
      return new RdmException(first.getFirst().message() + " (--bad-images=skip skips this image)");
    }
    List<String> told = first.stream().limit(MOST_TOLD).map(BadPicture::message).toList();
    int more = count - told.size();
    return new RdmException(
        "%s of %s images cannot be used: %s%s (--bad-images=list prints %s, skip skips them)"
            .formatted(
                count,
                total,
                String.join("; ", told),
                more == 0 ? "" : "; and %s more".formatted(more),
                more == 0 ? "them" : "all"));
  }
}
