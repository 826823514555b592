// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.data.convert;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.relaydiffusion.CancelledException;
import org.relaydiffusion.FileException;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.RdmException;
import org.relaydiffusion.diffusion.Cancellation;
import org.relaydiffusion.diffusion.data.BadImages;
import org.relaydiffusion.diffusion.data.BadPicture;
import org.relaydiffusion.diffusion.data.OrderedWork;
import org.relaydiffusion.diffusion.image.Compression;
import org.relaydiffusion.diffusion.image.PictureBudget;
import org.relaydiffusion.diffusion.image.Pixels;
import org.relaydiffusion.diffusion.image.PngWriter;

/**
 * Converts a source to a data set in one pass: images are read, transformed and encoded by several
 * threads, and the result does not depend on their number. It is published atomically.
 *
 * <p>Images that cannot be read, or differ from the first good one in size or colours, are all
 * found, regardless of how they are handled.
 *
 * @param source the images; remains open, the caller closes it
 * @param transform the transform of each image
 * @param target the output; nothing is written for {@link BadImages#LIST}
 * @param maxImages maximum number of images of the source, at least 1; all if empty
 * @param workers number of threads, at least 1
 * @param badImages how images that cannot be used are handled
 */
public record DatasetConversion(
    ImageSource source,
    PictureTransform transform,
    DatasetTarget target,
    OptionalInt maxImages,
    int workers,
    BadImages badImages) {
  private static final int KEPT_FOR_ERROR = 10;

  /** Receives the progress, on the calling thread. */
  public interface Listener extends BadPicture.Listener {
    /** Ignores the progress. */
    Listener NONE =
        new Listener() {
          @Override
          public void pictureDone(int done, int total) {}

          @Override
          public void found(BadPicture picture) {}
        };

    /**
     * Called after each image.
     *
     * @param done number of finished images of the source, from 1
     * @param total their total number
     */
    void pictureDone(int done, int total);
  }

  /**
   * Checks the values.
   *
   * @throws OptionException if a number is below 1
   */
  public DatasetConversion {
    if (maxImages.isPresent() && maxImages.getAsInt() < 1) {
      throw new OptionException("--max-images must be at least 1, but is " + maxImages.getAsInt());
    }
    if (workers < 1) {
      throw new OptionException("--workers must be at least 1, but is " + workers);
    }
  }

  /** Returns the number of images of the source that are used. */
  public int count() {
    return Math.min(source.size(), maxImages.orElse(Integer.MAX_VALUE));
  }

  /**
   * Writes the data set, or only finds bad images.
   *
   * @param listener receives the progress, and each image that cannot be used
   * @param cancellation ends the conversion early
   * @return the result
   * @throws RdmException naming the images that cannot be used, or the file that cannot be written
   * @throws CancelledException if it was cancelled
   */
  public ConvertedDataset run(Listener listener, Cancellation cancellation) {
    DatasetBuilder builder = new DatasetBuilder(source);
    Pass pass = new Pass(builder, listener);
    if (badImages == BadImages.LIST) {
      pass.run((_, _) -> {}, cancellation);
    } else {
      DatasetWriter.to(target)
          .write(out -> {
            pass.run(out, cancellation);
            builder.finish(out);
          });
    }
    return builder.result(target.path());
  }

  /** Performs one pass over all images. */
  private final class Pass {
    private final DatasetBuilder builder;
    private final Listener listener;
    private final List<BadPicture> firstBad = new ArrayList<>();

    Pass(DatasetBuilder builder, Listener listener) {
      this.builder = builder;
      this.listener = listener;
    }

    /**
     * Adds every good image; nothing more is added once it is known that the data set will not be
     * published.
     */
    void run(DatasetWriter.Entries out, Cancellation cancellation) {
      int count = count();
      new OrderedWork(count, workers)
          .<Outcome>run(
              DatasetConversion.this::outcome,
              (index, outcome) -> {
                switch (outcome) {
                  case Good(EncodedPicture picture) ->
                      builder
                          .add(index, picture, firstBad.isEmpty() || isSkipping() ? out : NOWHERE)
                          .ifPresent(this::bad);
                  case TooSmall() -> builder.skip();
                  case Bad(BadPicture picture) -> bad(picture);
                }
                listener.pictureDone(index + 1, count);
              },
              cancellation);
      if (badImages == BadImages.FAIL && !firstBad.isEmpty()) {
        throw BadPicture.failure(firstBad, builder.bad(), count);
      }
    }

    private void bad(BadPicture picture) {
      builder.countBad();
      if (firstBad.size() < KEPT_FOR_ERROR) {
        firstBad.add(picture);
      }
      listener.found(picture);
    }
  }

  private static final DatasetWriter.Entries NOWHERE = (_, _) -> {};

  private boolean isSkipping() {
    return badImages == BadImages.SKIP;
  }

  /** The result of one image of the source. */
  private sealed interface Outcome {}

  private record Good(EncodedPicture picture) implements Outcome {}

  private record TooSmall() implements Outcome {}

  private record Bad(BadPicture picture) implements Outcome {}

  private Outcome outcome(int index) {
    Path file = Path.of(source.name(index));
    try {
      Optional<EncodedPicture> encoded =
          PictureBudget.within(
              file, () -> transformed(source.read(index), file).map(EncodedPicture::of));
      return encoded.<Outcome>map(Good::new).orElseGet(TooSmall::new);
    } catch (FileException e) {
      return new Bad(BadPicture.of(source.name(index), file, e).orElseThrow(() -> e));
    }
  }

  private Optional<Pixels> transformed(Pixels picture, Path file) {
    try {
      return transform.apply(picture);
    } catch (RdmException e) {
      throw new FileException(file, String.valueOf(e.getMessage()), e);
    }
  }

  /** An encoded image of the data set. */
  record EncodedPicture(int width, int height, int channels, byte[] png) {
    static EncodedPicture of(Pixels pixels) {
      // Uncompressed, like the reference's: the fastest to read repeatedly.
      return new EncodedPicture(
          pixels.width(),
          pixels.height(),
          pixels.channels(),
          PngWriter.encode(pixels, Compression.STORED));
    }
  }
}
