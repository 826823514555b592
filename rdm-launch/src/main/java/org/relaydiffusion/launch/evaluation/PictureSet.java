package org.relaydiffusion.launch.evaluation;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.FileException;
import org.relaydiffusion.diffusion.data.DatasetOptions;
import org.relaydiffusion.diffusion.data.ImageFolderDataset;
import org.relaydiffusion.diffusion.image.Pixels;
import org.relaydiffusion.metrics.ActivationsFile;
import org.relaydiffusion.metrics.Provenance;
import org.relaydiffusion.metrics.report.EvaluationReport.Picture;

/** The pictures behind a file of activations, where they were given: row by row the same order. */
final class PictureSet implements AutoCloseable {
  private final @Nullable Path path;
  private final @Nullable ImageFolderDataset pictures;

  private PictureSet(@Nullable Path path, @Nullable ImageFolderDataset pictures) {
    this.path = path;
    this.pictures = pictures;
  }

  /**
   * Opens them.
   *
   * @param activations the file whose rows they are; it may be of some of them, if it says which
   * @throws FileException when they cannot be read, or are not as many as the file is of
   */
  static PictureSet open(Optional<Path> path, ActivationsFile activations) {
    if (path.isEmpty()) {
      return new PictureSet(null, null);
    }
    Optional<Provenance.Drawn> drawn = activations.drawn();
    DatasetOptions options =
        drawn
            .map(d -> DatasetOptions.DEFAULT.withAtMost(d.images(), d.seed()))
            .orElse(DatasetOptions.DEFAULT);
    ImageFolderDataset pictures = ImageFolderDataset.open(path.get(), options);
    long wanted = drawn.map(d -> (long) d.of()).or(() -> count(activations)).orElse(0L);
    int found = pictures.sourceSize();
    if (wanted > 0 && found != wanted) {
      pictures.close();
      throw new FileException(
          path.get(),
          "holds %s pictures, but %s is of %s images%s"
              .formatted(
                  found,
                  activations.path(),
                  wanted,
                  drawn.isPresent() ? ", some of which were drawn" : ""));
    }
    return new PictureSet(path.get(), pictures);
  }

  private static Optional<Long> count(ActivationsFile activations) {
    OptionalLong count = activations.count();
    return count.isPresent() ? Optional.of(count.getAsLong()) : Optional.empty();
  }

  /** The first pictures, at most {@code most}; none where they were not given. */
  List<Pixels> first(int most) {
    if (pictures == null) {
      return List.of();
    }
    ImageFolderDataset set = pictures;
    return IntStream.range(0, Math.min(most, set.size())).mapToObj(i -> pixels(set, i)).toList();
  }

  /** The picture of a row, or what to call it. */
  Picture picture(long row) {
    if (pictures == null || path == null) {
      return new Picture("image " + row, Optional.empty());
    }
    int index = Math.toIntExact(row);
    return new Picture(label(path, pictures.file(index)), Optional.of(pixels(pictures, index)));
  }

  /** A picture's name inside its set. */
  private static String label(Path set, Path file) {
    return file.startsWith(set) ? set.relativize(file).toString() : file.toString();
  }

  private static Pixels pixels(ImageFolderDataset set, int index) {
    byte[] planes = set.image(index);
    int side = set.resolution();
    Pixels pixels = Pixels.black(side, side, set.channels());
    byte[] data = pixels.data();
    int plane = side * side;
    for (int i = 0; i < plane; i++) {
      for (int c = 0; c < set.channels(); c++) {
        data[i * set.channels() + c] = planes[c * plane + i];
      }
    }
    return pixels;
  }

  @Override
  public void close() {
    if (pictures != null) {
      pictures.close();
    }
  }
}
