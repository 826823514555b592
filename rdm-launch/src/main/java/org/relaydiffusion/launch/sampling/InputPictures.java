package org.relaydiffusion.launch.sampling;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.LongStream;
import org.relaydiffusion.FileException;
import org.relaydiffusion.Printable;
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
  private static final Pattern SEED = Pattern.compile("(\\d{6,18}/)?\\d{6,18}\\.png");

  private final PictureFolder folder;
  private final PictureSource files;
  private final boolean namedBySeeds;
  private final Map<Long, Integer> bySeed = new HashMap<>();
  private final int resolution;
  private final int channels;

  /**
   * Pictures for one network; the caller closes them.
   *
   * @param root {@code --indir}: a folder, or a zip
   * @param second the second stage's network
   * @throws FileException when there are no pictures, or some have the names of seeds and some not
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
    List<String> names = files.pictures();
    List<String> others = names.stream().filter(n -> !SEED.matcher(n).matches()).toList();
    this.namedBySeeds = others.isEmpty();
    if (!namedBySeeds && others.size() < names.size()) {
      String seed = names.stream().filter(n -> SEED.matcher(n).matches()).findFirst().orElseThrow();
      files.close();
      throw new FileException(
          root,
          "has pictures named by seeds, such as %s, and others, such as %s: --indir takes either"
              .formatted(Printable.of(seed), Printable.of(others.getFirst())));
    }
    for (int i = 0; namedBySeeds && i < names.size(); i++) {
      // Of two, that in a folder counts.
      bySeed.merge(
          seed(names.get(i)), i, (one, other) -> names.get(other).contains("/") ? other : one);
    }
    if (files.pictures().isEmpty()) {
      files.close();
      throw new FileException(root, "holds no pictures for --indir");
    }
  }

  private static long seed(String name) {
    String digits = name.substring(name.lastIndexOf('/') + 1, name.length() - ".png".length());
    return Long.parseLong(digits);
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
    seeds.mapToInt(this::index).distinct().forEach(this::read);
  }

  @Override
  public Pixels image(long seed) {
    return read(index(seed));
  }

  private Pixels read(int index) {
    Path file = files.file(index);
    return fitting(
        PictureBudget.within(file, () -> PictureReader.decode(files.read(index), file)), file);
  }

  private int index(long seed) {
    if (!namedBySeeds) {
      return (int) Math.floorMod(seed, (long) files.pictures().size());
    }
    Integer index = bySeed.get(seed);
    if (index == null) {
      throw new FileException(
          folder.file(seed),
          "is missing: --indir needs a picture for seed %s, here or as %s"
              .formatted(seed, folder.flatFile(seed)));
    }
    return index;
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

  /** Closes the files; no picture may be asked for any more. */
  @Override
  public void close() {
    files.close();
  }
}
