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
 * A picture that cannot be part of a data set.
 *
 * @param name its name in the source
 * @param message one line that begins with what messages call it, and says what is wrong
 */
public record BadPicture(String name, String message) {
  private static final int MOST_TOLD = 3;

  /** Hears of such pictures, in their order, on the thread that asked for them. */
  @FunctionalInterface
  public interface Listener {
    /** Listens to nothing. */
    Listener NONE = _ -> {};

    /** There is another one. */
    void found(BadPicture picture);
  }

  /**
   * Why a picture cannot be used, where that is the picture's fault.
   *
   * @param name the picture's name in its source
   * @param file what messages call it
   * @param error that came of reading it
   * @return empty where the error says nothing about the picture, such as that memory is short, or
   *     that a disk does not answer: it is to be thrown on
   */
  public static Optional<BadPicture> of(String name, Path file, FileException error) {
    String message = String.valueOf(error.getMessage());
    boolean itsOwn =
        message.startsWith(new FileException(file, "").getMessage())
            && !(error.getCause() instanceof OutOfMemoryError)
            && !isOfTheDisk(error.getCause());
    return itsOwn ? Optional.of(new BadPicture(name, message)) : Optional.empty();
  }

  /** A link to nothing and a file of others stay what they are; any other error may pass. */
  private static boolean isOfTheDisk(@Nullable Throwable cause) {
    return cause instanceof IOException
        && !(cause instanceof NoSuchFileException)
        && !(cause instanceof AccessDeniedException);
  }

  /**
   * The error of a data set that has such pictures: the first ones and how many there are.
   *
   * @param first at least one, in order; not all need be given
   * @param count of all of them
   * @param total how many pictures were looked at
   */
  public static RdmException failure(List<BadPicture> first, int count, int total) {
    if (count == 1) {
      return new RdmException(
          first.getFirst().message() + " (--bad-images=skip leaves this picture out)");
    }
    List<String> told = first.stream().limit(MOST_TOLD).map(BadPicture::message).toList();
    int more = count - told.size();
    return new RdmException(
        "%s of %s pictures cannot be used: %s%s (--bad-images=list prints %s, skip leaves them out)"
            .formatted(
                count,
                total,
                String.join("; ", told),
                more == 0 ? "" : "; and %s more".formatted(more),
                more == 0 ? "them" : "all"));
  }
}
