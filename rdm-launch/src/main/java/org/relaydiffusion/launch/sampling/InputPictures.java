package org.relaydiffusion.launch.sampling;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.LongStream;
import org.relaydiffusion.FileException;
import org.relaydiffusion.diffusion.FirstStageImages;
import org.relaydiffusion.diffusion.image.PictureReader;
import org.relaydiffusion.diffusion.image.Pixels;
import org.relaydiffusion.model.Denoiser;

/** The pictures of {@code --indir}, which the second stage starts from. */
final class InputPictures implements FirstStageImages {
  private final PictureFolder folder;
  private final int resolution;
  private final int channels;

  /**
   * Pictures for one network.
   *
   * @param root {@code --indir}
   * @param second the second stage's network
   */
  InputPictures(Path root, Denoiser second) {
    this.folder = new PictureFolder(root);
    this.resolution = second.resolution();
    this.channels = second.channels();
  }

  /**
   * Reads every picture once, so that a bad one is found before the first one is used.
   *
   * @throws FileException naming the first one that is missing, damaged or of the wrong size
   */
  void checkAll(LongStream seeds) {
    if (!Files.isDirectory(folder.root())) {
      throw new FileException(folder.root(), "is no folder; --indir takes one with pictures in it");
    }
    seeds.forEach(this::image);
  }

  @Override
  public Pixels image(long seed) {
    Path file = file(seed);
    Pixels pixels = PictureReader.read(file);
    if (pixels.width() != pixels.height() || resolution % pixels.width() != 0) {
      throw new FileException(
          file,
          "has %s x %s pixels, but the second stage starts from squares whose side divides %s"
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
}
