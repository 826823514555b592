// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.evaluation;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.FileException;
import org.relaydiffusion.diffusion.Cancellation;
import org.relaydiffusion.diffusion.data.BadPicture;
import org.relaydiffusion.diffusion.data.DatasetOptions;
import org.relaydiffusion.diffusion.data.ImageFolderDataset;
import org.relaydiffusion.diffusion.data.PictureCheck;
import org.relaydiffusion.diffusion.data.PictureSource;
import org.relaydiffusion.diffusion.image.Pixels;
import org.relaydiffusion.diffusion.random.Subset;
import org.relaydiffusion.metrics.ActivationsFile;
import org.relaydiffusion.metrics.Provenance;
import org.relaydiffusion.metrics.SampleArray;
import org.relaydiffusion.metrics.report.EvaluationReport.Picture;

/** The images of an activation file, if they were given, in the order of its rows. */
final class PictureSet implements AutoCloseable {
  private final @Nullable Path path;
  private final @Nullable Source pictures;

  private PictureSet(@Nullable Path path, @Nullable Source pictures) {
    this.path = path;
    this.pictures = pictures;
  }

  /**
   * Opens the images.
   *
   * @param activations the file whose images they are; it may be of a subset, if it records which
   * @throws FileException if they cannot be read, or their number does not match the file
   */
  static PictureSet open(Optional<Path> path, ActivationsFile activations) {
    if (path.isEmpty()) {
      return new PictureSet(null, null);
    }
    Optional<Provenance.Drawn> drawn = activations.drawn();
    if (drawn.isPresent()
        && activations.count().orElse(drawn.get().images()) != drawn.get().images()) {
      throw new FileException(
          activations.path(),
          "has the activations of %s images, but records a subset of %s"
              .formatted(activations.count().orElse(0), drawn.get().images()));
    }
    long wanted = drawn.map(d -> (long) d.of()).or(() -> count(activations)).orElse(0L);
    Source pictures =
        SampleArray.isNameOfOne(path.get())
            ? Samples.open(path.get(), drawn)
            : Dataset.open(path.get(), drawn, wanted);
    int found = pictures.all();
    if (wanted > 0 && found != wanted) {
      pictures.close();
      throw new FileException(
          path.get(),
          "contains %s images, but %s has the activations of %s%s"
              .formatted(
                  found, activations.path(), wanted, drawn.isPresent() ? ", a random subset" : ""));
    }
    return new PictureSet(path.get(), pictures);
  }

  private static Optional<Long> count(ActivationsFile activations) {
    OptionalLong count = activations.count();
    return count.isPresent() ? Optional.of(count.getAsLong()) : Optional.empty();
  }

  /** Returns the first images, at most {@code most}; none if images were not given. */
  List<Pixels> first(int most) {
    if (pictures == null) {
      return List.of();
    }
    Source set = pictures;
    return IntStream.range(0, Math.min(most, set.size())).mapToObj(set::pixels).toList();
  }

  /** Returns the image of a row, or only its name if images were not given. */
  Picture picture(long row) {
    if (pictures == null || path == null) {
      return new Picture("image " + row, Optional.empty());
    }
    int index = Math.toIntExact(row);
    return new Picture(label(path, pictures.file(index)), Optional.of(pictures.pixels(index)));
  }

  /** Returns the name of an image inside its set. */
  private static String label(Path set, Path file) {
    return file.startsWith(set) ? set.relativize(file).toString() : file.toString();
  }

  @Override
  public void close() {
    if (pictures != null) {
      pictures.close();
    }
  }

  /** Returns the folder or file of the images. */
  private sealed interface Source extends AutoCloseable {
    /** Returns the total number of images. */
    int all();

    /** Returns the number of images that have rows. */
    int size();

    Path file(int row);

    Pixels pixels(int row);

    @Override
    void close();
  }

  /** A folder or zip. */
  private record Dataset(ImageFolderDataset set) implements Source {
    static Dataset open(Path path, Optional<Provenance.Drawn> drawn, long wanted) {
      DatasetOptions all = DatasetOptions.DEFAULT.without(leftOut(path, wanted));
      return new Dataset(
          ImageFolderDataset.open(
              path, drawn.map(d -> all.withAtMost(d.images(), d.seed())).orElse(all)));
    }

    /** If there are more images than rows, images that cannot be read were skipped. */
    private static Set<String> leftOut(Path path, long wanted) {
      try (PictureSource files = PictureSource.open(path, PictureSource.Order.NAMES)) {
        if (wanted == 0 || files.pictures().size() <= wanted) {
          return Set.of();
        }
      }
      return PictureCheck.of(
              path, DatasetOptions.DEFAULT, BadPicture.Listener.NONE, new Cancellation())
          .names();
    }

    @Override
    public int all() {
      return set.sourceSize();
    }

    @Override
    public int size() {
      return set.size();
    }

    @Override
    public Path file(int row) {
      return set.file(row);
    }

    @Override
    public Pixels pixels(int row) {
      byte[] planes = set.image(row);
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
      set.close();
    }
  }

  /** ADM's array of samples. */
  private record Samples(SampleArray array, Subset subset) implements Source {
    static Samples open(Path path, Optional<Provenance.Drawn> drawn) {
      SampleArray array = SampleArray.open(path);
      return new Samples(
          array,
          drawn
              .map(d -> Subset.drawn(array.count(), d.images(), d.seed()))
              .orElseGet(() -> Subset.all(array.count())));
    }

    @Override
    public int all() {
      return array.count();
    }

    @Override
    public int size() {
      return subset.size();
    }

    @Override
    public Path file(int row) {
      return array.picture(subset.raw(row));
    }

    @Override
    public Pixels pixels(int row) {
      return new Pixels(array.width(), array.height(), 3, array.read(subset.raw(row)));
    }

    @Override
    public void close() {
      array.close();
    }
  }
}
