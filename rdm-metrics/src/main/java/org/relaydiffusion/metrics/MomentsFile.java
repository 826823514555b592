package org.relaydiffusion.metrics;

import java.nio.file.Path;
import java.util.List;
import java.util.function.Supplier;
import org.relaydiffusion.FileException;
import org.relaydiffusion.RdmException;
import org.relaydiffusion.metrics.npy.NpyReader;
import org.relaydiffusion.metrics.npy.NpzFile;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;

/** Moments out of .npz files: computed from activations, or as statistics files hold them. */
public final class MomentsFile {
  private static final List<DType> FLOATS = List.of(DType.FLOAT32, DType.FLOAT64);
  private static final long BLOCK_ROWS = 1024;

  /** A small file of one long row must not ask for that length squared. Inception has 2048. */
  private static final long MOST_DIMENSIONS = 8192;

  private MomentsFile() {}

  /**
   * The moments of an array of activations, read once from end to end.
   *
   * @param path an .npz file, e.g. of {@code feat} [N, 2048] and {@code s_feat} [N, 2023]
   * @param array the array's name; it must be float32 or float64 [N, D]
   * @return the moments, which the caller closes
   * @throws FileException when there is no such array, or it is damaged, of another kind, not
   *     finite or has fewer than 2 rows
   */
  public static Moments ofActivations(Path path, String array) {
    try (NpzFile file = NpzFile.open(path);
        NpyReader reader = file.array(array).expect(FLOATS, -1, -1);
        MomentsAccumulator sums = new MomentsAccumulator(dimensions(path, array, reader))) {
      while (reader.remainingRows() > 0) {
        try (Tensor rows = reader.read(BLOCK_ROWS)) {
          sums.add(rows);
        }
      }
      return named(path, array, sums::moments);
    }
  }

  /**
   * A mean and a covariance that a file holds.
   *
   * @param path an .npz file
   * @param mean the name of the mean, float32 or float64 [D], e.g. {@code mu}
   * @param covariance the name of the covariance, float32 or float64 [D, D], e.g. {@code sigma}
   * @return the moments, of an unknown count, which the caller closes
   * @throws FileException when an array is missing, damaged, of another kind, not finite, or the
   *     covariance is not symmetric
   */
  public static Moments ofStatistics(Path path, String mean, String covariance) {
    try (TensorScope _ = TensorScope.open();
        NpzFile file = NpzFile.open(path);
        NpyReader first = file.array(mean).expect(FLOATS, -1);
        NpyReader second =
            file.array(covariance).expect(FLOATS, first.shape()[0], first.shape()[0])) {
      if (first.remainingRows() == 0) {
        throw new FileException(path, "array '%s' is empty".formatted(mean));
      }
      Tensor m = first.read(first.remainingRows());
      Tensor c = second.read(second.remainingRows());
      return named(path, covariance, () -> Moments.of(m, c));
    }
  }

  private static long dimensions(Path path, String array, NpyReader reader) {
    long dimensions = reader.shape()[1];
    if (dimensions > MOST_DIMENSIONS) {
      throw new FileException(
          path,
          "array '%s' has %d dimensions, where %d are the most"
              .formatted(array, dimensions, MOST_DIMENSIONS));
    }
    return dimensions;
  }

  private static Moments named(Path path, String array, Supplier<Moments> source) {
    try {
      return source.get();
    } catch (RdmException e) {
      throw new FileException(path, "array '%s': %s".formatted(array, e.getMessage()), e);
    }
  }
}
