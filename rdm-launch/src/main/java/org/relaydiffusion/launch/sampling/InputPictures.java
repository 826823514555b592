package org.relaydiffusion.launch.sampling;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;
import java.util.stream.LongStream;
import org.relaydiffusion.FileException;
import org.relaydiffusion.diffusion.FirstStageImages;
import org.relaydiffusion.diffusion.data.PictureSource;
import org.relaydiffusion.diffusion.image.PictureBudget;
import org.relaydiffusion.diffusion.image.PictureReader;
import org.relaydiffusion.diffusion.image.Pixels;
import org.relaydiffusion.model.Denoiser;

/**
 * The pictures of {@code --indir}, which the second stage starts from. Where they are named by
 * seeds, as the first stage writes them, a seed has the picture of its name. Pictures of other
 * names are taken in the order of these: seed s has picture s modulo their number, so that more
 * seeds than pictures make several of each.
 */
final class InputPictures implements FirstStageImages, AutoCloseable {
  private static final Pattern SEED = Pattern.compile("(\\d{6,}/)?\\d{6,}\\.png");

  private final PictureFolder folder;
  private final PictureSource files;
  private final boolean namedBySeeds;
  private final int resolution;
  private final int channels;

  /**
   * Pictures for one network; the caller closes them.
   *
   * @param root {@code --indir}: a folder, or a zip
   * @param second the second stage's network
   * @throws FileException when there are no pictures
   */
  InputPictures(Path root, Denoiser second) {
    this.folder = new PictureFolder(root);
    this.resolution = second.resolution();
    this.channels = second.channels();
    if (!Files.isDirectory(root) && !root.toString().toLowerCase(Locale.ROOT).endsWith(".zip")) {
      throw new FileException(
          root, "is no folder; --indir takes one with pictures in it, or a zip of them");
    }
    this.files = PictureSource.open(root, PictureSource.Order.NAMES);
    this.namedBySeeds =
        Files.isDirectory(root)
            && files.pictures().stream().anyMatch(n -> SEED.matcher(n).matches());
    if (files.pictures().isEmpty()) {
      files.close();
      throw new FileException(root, "holds no pictures for --indir");
    }
  }

  /** One line on which picture a seed starts from; empty where the names say it. */
  String text() {
    List<String> names = files.pictures();
    return namedBySeeds
        ? ""
        : "%s: %s pictures, seed 0 has %s%s"
            .formatted(
                folder.root(),
                names.size(),
                names.getFirst(),
                names.size() == 1
                    ? " as every seed"
                    : ", seed 1 has %s, and so on in turn".formatted(names.get(1)));
  }

  /**
   * Reads every picture once, so that a bad one is found before the first one is used.
   *
   * @throws FileException naming the first one that is missing, damaged or of the wrong size
   */
  void checkAll(LongStream seeds) {
    if (namedBySeeds) {
      seeds.forEach(this::image);
    } else {
      seeds.map(this::index).distinct().forEach(this::image);
    }
  }

  @Override
  public Pixels image(long seed) {
    if (namedBySeeds) {
      Path file = file(seed);
      return fitting(PictureReader.read(file), file);
    }
    int index = (int) index(seed);
    Path file = files.file(index);
    return fitting(
        PictureBudget.within(file, () -> PictureReader.decode(files.read(index), file)), file);
  }

  private long index(long seed) {
    return Math.floorMod(seed, (long) files.pictures().size());
  }

  private Pixels fitting(Pixels pixels, Path file) {
    if (pixels.width() != pixels.height() || resolution % pixels.width() != 0) {
      throw new FileException(
          file,
          ("has %s x %s pixels, but the second stage starts from squares whose side divides %s:"
                  + " 'rdm dataset --transform=center-crop --resolution=WxH' makes some")
              .formatted(pixels.width(), pixels.height(), resolution));
    }
    if (channels == 3) {
      return pixels.toRgb();
    }
    if (pixels.channels() != channels) {
      throw new FileException(
          file,
          "has %s channels, but the second stage's network takes %s"
              .formatted(pixels.channels(), channels));
    }
    return pixels;
  }

  private Path file(long seed) {
    Path file = folder.file(seed);
    Path flat = folder.flatFile(seed);
    if (Files.exists(file)) {
      return file;
    }
    if (Files.exists(flat)) {
      return flat;
    }
    throw new FileException(
        file,
        "is missing: --indir needs a picture for seed %s, here or as %s".formatted(seed, flat));
  }

  /** Closes the files; no picture may be asked for any more. */
  @Override
  public void close() {
    files.close();
  }
}
