// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.metrics;

import java.nio.file.Path;
import java.util.List;
import org.relaydiffusion.FileException;
import org.relaydiffusion.metrics.npy.NpyReader;
import org.relaydiffusion.metrics.npy.NpzFile;
import org.relaydiffusion.torch.Comparison;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Reduction;
import org.relaydiffusion.torch.Reduction.KeepDim;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;

/**
 * Activations in an .npz file that is owned by another object. Rows that are not finite are errors.
 *
 * @param path the file, for messages
 * @param file the file; its owner keeps it open
 * @param array the name of the array
 * @param order of a row's elements in the file
 * @param count N
 * @param dimensions D
 */
record NpzActivations(
    Path path, NpzFile file, String array, SpatialOrder order, long count, long dimensions)
    implements Activations {
  static final List<DType> FLOATS = List.of(DType.FLOAT32, DType.FLOAT64);

  /**
   * The limit for rows, since a small file with one long row must not require that length squared.
   * Inception has 2048.
   */
  private static final long MOST_DIMENSIONS = 8192;

  /**
   * Validates the header of an array.
   *
   * @throws FileException if there is no such array, or its dtype or shape is different, or it is
   *     empty or too wide
   */
  static NpzActivations of(Path path, NpzFile file, String array, SpatialOrder order) {
    try (NpyReader reader = file.array(array).expect(FLOATS, -1, -1)) {
      long[] shape = reader.shape();
      if (shape[0] == 0) {
        throw new FileException(path, "array '%s' has no rows".formatted(array));
      }
      checkDimensions(path, array, shape[1]);
      return new NpzActivations(path, file, array, order, shape[0], shape[1]);
    }
  }

  static void checkDimensions(Path path, String array, long dimensions) {
    if (dimensions > MOST_DIMENSIONS) {
      throw new FileException(
          path,
          "array '%s' has %s dimensions, but the maximum is %s"
              .formatted(array, dimensions, MOST_DIMENSIONS));
    }
  }

  @Override
  public String name() {
    return "%s '%s'".formatted(path, array);
  }

  @Override
  public Reader open() {
    return new Pass(file.array(array).expect(FLOATS, count, dimensions));
  }

  /** One pass over the file. */
  private final class Pass implements Reader {
    private final NpyReader reader;

    Pass(NpyReader reader) {
      this.reader = reader;
    }

    @Override
    public long remainingRows() {
      return reader.remainingRows();
    }

    @Override
    public Tensor read(long most) {
      long first = count - reader.remainingRows();
      try (TensorScope scope = TensorScope.open()) {
        Tensor rows = reader.read(most);
        checkFinite(rows, first);
        return scope.keep(order.toChannelsFirst(rows));
      }
    }

    @Override
    public void close() {
      reader.close();
    }
  }

  private void checkFinite(Tensor rows, long first) {
    Tensor finite = Comparison.isFinite(rows);
    if (rows.size(0) == 0 || Reduction.all(finite).item() != 0) {
      return;
    }
    double[] whole = Reduction.amin(finite, KeepDim.NO, 1).toDoubles();
    int row = 0;
    while (whole[row] != 0) {
      row++;
    }
    throw new FileException(
        path, "array '%s' has NaN or infinite elements in row %s".formatted(array, first + row));
  }
}
