package org.relaydiffusion.launch.sampling;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.relaydiffusion.diffusion.image.Compression;
import org.relaydiffusion.diffusion.image.ContactSheet;
import org.relaydiffusion.diffusion.image.PictureReader;
import org.relaydiffusion.diffusion.image.Pixels;
import org.relaydiffusion.diffusion.image.PngWriter;

/**
 * The first pictures of a run, put on one sheet at its end. They are read back from their files, so
 * that a resumed run has those of the earlier one on it too, and memory is needed only then.
 */
final class SheetFile {
  /** More would make a sheet that nobody looks at. */
  static final int MAX_PICTURES = 256;

  private SheetFile() {}

  /**
   * Writes the sheet.
   *
   * @param file the sheet
   * @param folder the pictures, all written
   * @param seeds of this process, in order
   * @return what is on it; empty when there are no pictures
   */
  static Optional<SamplingResult.Sheet> write(Path file, PictureFolder folder, List<Long> seeds) {
    List<Pixels> pictures = new ArrayList<>();
    seeds.stream()
        .limit(MAX_PICTURES)
        .forEach(seed -> pictures.add(PictureReader.read(folder.file(seed))));
    if (pictures.isEmpty()) {
      return Optional.empty();
    }
    PngWriter.write(ContactSheet.nearSquare(pictures.size()).of(pictures), Compression.FAST, file);
    return Optional.of(new SamplingResult.Sheet(file, pictures.size()));
  }
}
