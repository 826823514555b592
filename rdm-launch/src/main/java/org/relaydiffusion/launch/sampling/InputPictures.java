// SPDX-License-Identifier: Apache-2.0
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
import org.relaydiffusion.diffusion.Stage;
import org.relaydiffusion.diffusion.StartImages;
import org.relaydiffusion.diffusion.data.PictureSource;
import org.relaydiffusion.diffusion.image.PictureBudget;
import org.relaydiffusion.diffusion.image.PictureReader;
import org.relaydiffusion.diffusion.image.Pixels;

/**
 * The images of {@code --indir}, which a later stage starts from. If they are named by seeds, as
 * written by the stage before, each seed uses the image with its name. Images with other names are
 * sorted by name, and seed s uses image s modulo their number, so that more seeds than images give
 * several samples of each.
 */
final class InputPictures implements StartImages, AutoCloseable {
  private static final Pattern SEED = Pattern.compile("(\\d{6,18}/)?\\d{6,18}\\.png");

  private final PictureFolder folder;
  private final PictureSource files;
  private final boolean namedBySeeds;
  private final Map<Long, Integer> bySeed = new HashMap<>();
  private final String stage;
  private final int resolution;
  private final int channels;

  /**
   * Opens the images for a network; the caller closes them.
   *
   * @param root {@code --indir}: a folder, or a zip
   * @param stage that starts from them
   * @throws FileException if there are no images, or only some of them are named by seeds
   */
  InputPictures(Path root, Stage stage) {
    this.folder = new PictureFolder(root);
    this.stage = stage.name();
    this.resolution = stage.network().resolution();
    this.channels = stage.network().channels();
    if (!Files.isDirectory(root) && !root.toString().toLowerCase(Locale.ROOT).endsWith(".zip")) {
      throw new FileException(root, "is not a folder; --indir must be a folder or a zip of images");
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
          "has images named by seeds, such as %s, and others, such as %s: --indir cannot mix them"
              .formatted(Printable.of(seed), Printable.of(others.getFirst())));
    }
    for (int i = 0; namedBySeeds && i < names.size(); i++) {
      // If there are two, the one in a subfolder is used.
      bySeed.merge(
          seed(names.get(i)), i, (one, other) -> names.get(other).contains("/") ? other : one);
    }
    if (files.pictures().isEmpty()) {
      files.close();
      throw new FileException(root, "contains no images for --indir");
    }
  }

  private static long seed(String name) {
    String digits = name.substring(name.lastIndexOf('/') + 1, name.length() - ".png".length());
    return Long.parseLong(digits);
  }

  /**
   * Returns one line that describes which image a seed starts from; empty if the names determine
   * it.
   */
  String text() {
    List<String> names = files.pictures();
    return namedBySeeds
        ? ""
        : "%s: %s images, seed 0 uses %s%s"
            .formatted(
                folder.root(),
                names.size(),
                names.getFirst(),
                names.size() == 1
                    ? " as every seed"
                    : ", seed 1 uses %s, and so on".formatted(names.get(1)));
  }

  /**
   * Reads every image once, so that a bad one is found before the first one is used.
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
          "is missing: --indir must contain an image for seed %s, here or as %s"
              .formatted(seed, folder.flatFile(seed)));
    }
    return index;
  }

  private Pixels fitting(Pixels pixels, Path file) {
    if (pixels.width() != pixels.height() || resolution % pixels.width() != 0) {
      throw new FileException(
          file,
          ("has %s x %s pixels, but the %s stage requires square images whose side divides %s:"
                  + " 'rdm dataset --transform=center-crop --resolution=WxH' creates them")
              .formatted(pixels.width(), pixels.height(), stage, resolution));
    }
    if (channels == 3) {
      return pixels.toRgb();
    }
    if (pixels.channels() != channels) {
      throw new FileException(
          file,
          "has %s channels, but the network of the %s stage requires %s"
              .formatted(pixels.channels(), stage, channels));
    }
    return pixels;
  }

  /** Closes the files; no image may be requested afterwards. */
  @Override
  public void close() {
    files.close();
  }
}
