// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.metrics;

import java.nio.file.Path;
import java.util.OptionalLong;
import java.util.function.Supplier;
import org.relaydiffusion.FileException;
import org.relaydiffusion.RdmException;
import org.relaydiffusion.metrics.npy.NpyReader;
import org.relaydiffusion.metrics.npy.NpzFile;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;

/** Reads moments from .npz files: computed from activations, or stored as statistics. */
public final class MomentsFile {
  private MomentsFile() {}

  /**
   * Computes the moments of an array of activations in one pass.
   *
   * @param path an .npz file, such as one of {@code feat} [N, 2048] and {@code s_feat} [N, 2023]
   * @param array the name of the array; it must be float32 or float64 [N, D]
   * @return the moments, which the caller closes
   * @throws FileException if there is no such array, or it is damaged, of another kind, not finite
   *     or has fewer than 2 rows
   */
  public static Moments ofActivations(Path path, String array) {
    try (NpzFile file = NpzFile.open(path)) {
      return Moments.of(
          NpzActivations.of(path, file, array, SpatialOrder.CHANNELS_FIRST),
          WorkOptions.defaults());
    }
  }

  /**
   * Reads a stored mean and covariance.
   *
   * @param path an .npz file
   * @param mean the name of the mean, float32 or float64 [D], such as {@code mu}
   * @param covariance the name of the covariance, float32 or float64 [D, D], such as {@code sigma}
   * @return the moments, of an unknown count, which the caller closes
   * @throws FileException if an array is missing, damaged, of another kind, not finite, or the
   *     covariance is not symmetric
   */
  public static Moments ofStatistics(Path path, String mean, String covariance) {
    try (NpzFile file = NpzFile.open(path)) {
      return read(path, file, mean, covariance, SpatialOrder.CHANNELS_FIRST, OptionalLong.empty());
    }
  }

  /**
   * Reads a stored mean and covariance, with the order of dimensions and the number of samples, if
   * known.
   */
  static Moments read(
      Path path,
      NpzFile file,
      String mean,
      String covariance,
      SpatialOrder order,
      OptionalLong count) {
    try (TensorScope _ = TensorScope.open();
        NpyReader first = file.array(mean).expect(NpzActivations.FLOATS, -1);
        NpyReader second =
            file.array(covariance)
                .expect(NpzActivations.FLOATS, first.shape()[0], first.shape()[0])) {
      if (first.remainingRows() == 0) {
        throw new FileException(path, "array '%s' is empty".formatted(mean));
      }
      Tensor m = first.read(first.remainingRows());
      Tensor c = second.read(second.remainingRows());
      return named(
          path,
          covariance,
          () -> {
            Tensor ordered = order.toChannelsFirst(m.reshape(1, -1)).reshape(-1);
            Tensor half = Shapes.transpose(order.toChannelsFirst(c), 0, 1);
            Tensor both = Shapes.transpose(order.toChannelsFirst(half), 0, 1);
            return count.isPresent()
                ? Moments.of(ordered, both, count.getAsLong())
                : Moments.of(ordered, both);
          });
    }
  }

  private static Moments named(Path path, String array, Supplier<Moments> source) {
    try {
      return source.get();
    } catch (RdmException e) {
      throw new FileException(path, "array '%s': %s".formatted(array, e.getMessage()), e);
    }
  }
}
