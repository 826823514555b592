// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.sampling;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.relaydiffusion.diffusion.image.Compression;
import org.relaydiffusion.diffusion.image.ContactSheet;
import org.relaydiffusion.diffusion.image.PictureReader;
import org.relaydiffusion.diffusion.image.Pixels;
import org.relaydiffusion.diffusion.image.PngText;
import org.relaydiffusion.diffusion.image.PngWriter;

/**
 * A contact sheet of the first images of a run, written at its end. The images are read back from
 * their files, so that those of an interrupted run are included, and memory is only needed then.
 */
final class SheetFile {
  /** The maximum number of images; larger sheets are impractical. */
  static final int MAX_PICTURES = 256;

  private SheetFile() {}

  /**
   * Writes the sheet.
   *
   * @param file the sheet
   * @param folder the images, all written
   * @param seeds of this process, in order
   * @param text of the sheet's file
   * @return the written sheet; empty if there are no images
   */
  static Optional<SamplingResult.Sheet> write(
      Path file, PictureFolder folder, List<Long> seeds, PngText text) {
    List<Pixels> pictures = new ArrayList<>();
    seeds.stream()
        .limit(MAX_PICTURES)
        .forEach(seed -> pictures.add(PictureReader.read(folder.file(seed))));
    if (pictures.isEmpty()) {
      return Optional.empty();
    }
    PngWriter.write(
        ContactSheet.nearSquare(pictures.size()).of(pictures), Compression.FAST, text, file);
    return Optional.of(new SamplingResult.Sheet(file, pictures.size()));
  }
}
