// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.data;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.relaydiffusion.FileException;
import org.relaydiffusion.RdmException;
import org.relaydiffusion.diffusion.Cancellation;
import org.relaydiffusion.diffusion.image.PictureBudget;
import org.relaydiffusion.diffusion.image.PictureReader;
import org.relaydiffusion.diffusion.image.PictureReader.Size;
import org.relaydiffusion.diffusion.image.Pixels;
import org.relaydiffusion.diffusion.random.Subset;

/**
 * Checks all images of a data set before it is used, so that a run of days does not end at an
 * unreadable image.
 *
 * <p>Decoding a million images takes hours, so only the first and last 4 KiB of each file are
 * checked: the format must be known, the size and number of channels must be those of the first
 * good image of the set, and the file must not be truncated. An image is only decoded if it fits in
 * 4 KiB, or if this cannot be determined. Other damage, such as invalid pixels in the middle of a
 * file, is detected when the image is read; the data set tool decodes everything.
 *
 * @param bad the images that cannot be used
 * @param looked number of images that were checked
 * @param leftOut files that were not taken for an image
 */
public record PictureCheck(List<BadPicture> bad, int looked, LeftOut leftOut) {
  private static final int ENDS = 4096;
  private static final int PIECE = 256;

  /**
   * Checks the images of a folder or zip, on as many threads as there are processors.
   *
   * @param data as for {@link ImageFolderDataset#open}
   * @param options only its subset is used, which selects the images to check
   * @param listener receives each bad image
   * @param cancellation ends the check early
   * @throws FileException if there are no images, or none is good
   */
  public static PictureCheck of(
      Path data, DatasetOptions options, BadPicture.Listener listener, Cancellation cancellation) {
    try (PictureSource source = PictureSource.open(data, PictureSource.Order.NAMES)) {
      Subset items = options.drawnFrom(source.pictures().size());
      int count = items.size();
      Look look = new Look(source, items);
      List<BadPicture> bad = new ArrayList<>();
      new OrderedWork(Math.ceilDiv(count, PIECE), Runtime.getRuntime().availableProcessors())
          .<List<BadPicture>>run(
              look::piece,
              (_, found) ->
                  found.forEach(picture -> {
                    bad.add(picture);
                    listener.found(picture);
                  }),
              cancellation);
      return new PictureCheck(List.copyOf(bad), count, source.leftOut());
    }
  }

  /** Returns the names of the images that cannot be used. */
  public Set<String> names() {
    return bad.stream().map(BadPicture::name).collect(Collectors.toUnmodifiableSet());
  }

  /** The properties shared by all images of a set. */
  private record Kind(int width, int height, int channels) {
    static Kind of(Pixels pixels) {
      return new Kind(pixels.width(), pixels.height(), pixels.channels());
    }
  }

  /** The images of a source, compared with the first good one. */
  private record Look(PictureSource source, Subset items, int first, Kind kind) {
    Look(PictureSource source, Subset items) {
      this(source, items, firstGood(source, items));
    }

    private Look(PictureSource source, Subset items, int first) {
      this(source, items, first, Kind.of(decoded(source, first)));
    }

    /** Finds the first image that can be decoded, with which the others are compared. */
    private static int firstGood(PictureSource source, Subset items) {
      String leftOut = source.leftOut().text();
      RdmException why =
          new FileException(
              source.path(), "contains no images" + (leftOut.isEmpty() ? "" : "; " + leftOut));
      for (int i = 0; i < items.size(); i++) {
        int raw = items.raw(i);
        try {
          decoded(source, raw);
          return raw;
        } catch (FileException e) {
          if (BadPicture.of(source.pictures().get(raw), source.file(raw), e).isEmpty()) {
            throw e;
          }
          why = i == 0 ? e : why;
        }
      }
      throw items.size() < 2
          ? why
          : new FileException(
              source.path(),
              "has %s images, of which none can be read: %s"
                  .formatted(items.size(), why.getMessage()));
    }

    List<BadPicture> piece(int piece) {
      List<BadPicture> bad = new ArrayList<>();
      for (int i = piece * PIECE; i < Math.min(items.size(), (piece + 1) * PIECE); i++) {
        int raw = items.raw(i);
        String name = source.pictures().get(raw);
        Path file = source.file(raw);
        try {
          check(raw, file);
        } catch (FileException e) {
          bad.add(BadPicture.of(name, file, e).orElseThrow(() -> e));
        }
      }
      return bad;
    }

    private void check(int index, Path file) {
      PictureSource.Ends ends = source.ends(index, ENDS);
      int channels = PictureHeader.channels(ends.start());
      if (ends.isWhole() || channels == 0 || !PictureHeader.isWhole(ends)) {
        require(Kind.of(decoded(source, index)), file);
        return;
      }
      Size size;
      try {
        size = PictureReader.size(ends.start(), file);
      } catch (FileException e) {
        // A profile or a preview may precede the size.
        size = PictureReader.size(source.read(index), file);
      }
      require(new Kind(size.width(), size.height(), channels), file);
    }

    private void require(Kind found, Path file) {
      if (!found.equals(kind)) {
        throw new FileException(
            file,
            "is %s, but %s is %s".formatted(text(found), source.pictures().get(first), text(kind)));
      }
    }

    private static String text(Kind kind) {
      return "%s x %s %s"
          .formatted(kind.width(), kind.height(), kind.channels() == 1 ? "grey" : "RGB");
    }
  }

  private static Pixels decoded(PictureSource source, int index) {
    Path file = source.file(index);
    return PictureBudget.within(file, () -> PictureReader.decode(source.read(index), file));
  }
}
