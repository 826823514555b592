package org.relaydiffusion.diffusion.data.convert;

import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalInt;
import org.relaydiffusion.CancelledException;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.RdmException;
import org.relaydiffusion.diffusion.Cancellation;
import org.relaydiffusion.diffusion.image.Compression;
import org.relaydiffusion.diffusion.image.PictureBudget;
import org.relaydiffusion.diffusion.image.Pixels;
import org.relaydiffusion.diffusion.image.PngWriter;

/**
 * From a source to a data set. Pictures are read, transformed and encoded by several threads; the
 * result is the same however many they are. A zip appears whole or not at all; a folder must be new
 * or empty, and keeps what was written when the run fails.
 *
 * @param source where the pictures come from; stays open, the caller closes it
 * @param transform what is done to each
 * @param target a folder, or a file that ends with .zip
 * @param maxImages how many pictures of the source are looked at, at least 1; empty for all
 * @param workers threads, at least 1
 */
public record DatasetConversion(
    ImageSource source,
    PictureTransform transform,
    Path target,
    OptionalInt maxImages,
    int workers) {
  /** Hears about every picture, on the calling thread. */
  @FunctionalInterface
  public interface Listener {
    /** Listens to nothing. */
    Listener NONE = (_, _) -> {};

    /**
     * A picture is done.
     *
     * @param done how many of the source are, from 1
     * @param total how many will be
     */
    void pictureDone(int done, int total);
  }

  /** Checks the numbers. */
  public DatasetConversion {
    if (maxImages.isPresent() && maxImages.getAsInt() < 1) {
      throw new OptionException("--max-images must be at least 1, but is " + maxImages.getAsInt());
    }
    if (workers < 1) {
      throw new OptionException("--workers must be at least 1, but is " + workers);
    }
  }

  /** How many pictures of the source are looked at. */
  public int count() {
    return Math.min(source.size(), maxImages.orElse(Integer.MAX_VALUE));
  }

  /** Whether the target is a zip, which appears whole or not at all, and not a folder. */
  public boolean isZip() {
    return DatasetWriter.isZip(target);
  }

  /**
   * Writes the data set.
   *
   * @param listener hears how far it is
   * @param cancellation ends it early
   * @throws RdmException naming the picture that cannot be read or does not fit the others, or the
   *     file that cannot be written
   * @throws CancelledException when it was ended early
   */
  public ConvertedDataset run(Listener listener, Cancellation cancellation) {
    DatasetBuilder builder = new DatasetBuilder(source);
    int count = count();
    DatasetWriter.to(target)
        .write(out -> {
          new OrderedWork(count, workers)
              .<Optional<EncodedPicture>>run(
                  this::encoded,
                  (index, picture) -> {
                    builder.add(index, picture, out);
                    listener.pictureDone(index + 1, count);
                  },
                  cancellation);
          builder.finish(out);
        });
    return builder.result(target);
  }

  private Optional<EncodedPicture> encoded(int index) {
    return PictureBudget.within(
        Path.of(source.name(index)),
        () -> transform.apply(source.read(index)).map(EncodedPicture::of));
  }

  /** A picture of the data set as it is stored. */
  @SuppressWarnings("ArrayRecordComponent") // Never compared; on its way from a thread to the file.
  record EncodedPicture(int width, int height, int channels, byte[] png) {
    static EncodedPicture of(Pixels pixels) {
      // Stored, as the reference's: the quickest to read again and again.
      return new EncodedPicture(
          pixels.width(),
          pixels.height(),
          pixels.channels(),
          PngWriter.encode(pixels, Compression.STORED));
    }
  }
}
