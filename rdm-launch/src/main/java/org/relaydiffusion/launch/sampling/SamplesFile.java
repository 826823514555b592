// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.sampling;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import org.relaydiffusion.FileException;
import org.relaydiffusion.RdmException;
import org.relaydiffusion.diffusion.Cancellation;
import org.relaydiffusion.diffusion.image.PictureReader;
import org.relaydiffusion.diffusion.image.Pixels;
import org.relaydiffusion.diffusion.random.Seeds;
import org.relaydiffusion.io.AtomicFile;
import org.relaydiffusion.launch.progress.StatusLine;
import org.relaydiffusion.metrics.SampleArray;
import org.relaydiffusion.metrics.npy.NpyWriter;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.Torch;

/**
 * All images of a run in one .npz file as read by ADM's evaluator: {@code arr_0}, uint8 [N, H, W,
 * 3], in the order of the seeds. They are read back from their files, so that a resumed run
 * includes all of them and only a few are in memory at a time.
 */
final class SamplesFile {
  /** The number of images decoded at a time, on all cores. */
  private static final int BLOCK = 64;

  private SamplesFile() {}

  /**
   * Rejects a target that cannot be written, before hours are spent on its images.
   *
   * @throws FileException with the reason
   */
  static void check(Path target) {
    if (Files.isDirectory(target)) {
      throw new FileException(target, "is a folder, but --npz is a file");
    }
    AtomicFile.checkWritable(target);
  }

  /** Returns whether a file contains samples, according to its headers. */
  static boolean isSamples(Path file) {
    try (SampleArray _ = SampleArray.open(file)) {
      return true;
    } catch (RdmException _) {
      return false;
    }
  }

  /**
   * Writes the file atomically.
   *
   * @param folder the images, all written
   * @param cancellation ends the work between two images
   * @throws FileException naming the image that is missing or of another size than the first
   */
  static void write(
      Path target,
      PictureFolder folder,
      Seeds seeds,
      StatusLine status,
      Cancellation cancellation) {
    Pixels first = PictureReader.read(folder.file(seeds.get(0)));
    SampleArray.write(
        target,
        seeds.size(),
        first.height(),
        first.width(),
        rows -> {
          for (int i = 0; i < seeds.size(); i += BLOCK) {
            cancellation.check();
            int from = i;
            List<Pixels> block =
                IntStream.range(from, Math.min(from + BLOCK, seeds.size()))
                    .parallel()
                    .mapToObj(k -> picture(folder.file(seeds.get(k)), first))
                    .toList();
            for (Pixels pixels : block) {
              add(rows, pixels);
            }
            if (status.isDue()) {
              status.show(
                  "%s: %s of %s images".formatted(target, from + block.size(), seeds.size()));
            }
          }
        });
    status.clear();
  }

  private static Pixels picture(Path file, Pixels first) {
    Pixels pixels = PictureReader.read(file);
    if (pixels.width() != first.width() || pixels.height() != first.height()) {
      throw new FileException(
          file,
          "has %s x %s pixels, but the first image of the run has %s x %s"
              .formatted(pixels.width(), pixels.height(), first.width(), first.height()));
    }
    return pixels.toRgb();
  }

  private static void add(NpyWriter rows, Pixels pixels) throws IOException {
    try (Tensor row = Torch.tensor(pixels.data(), 1, pixels.height(), pixels.width(), 3)) {
      rows.write(row);
    }
  }
}
