// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.metrics;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.RdmException;
import org.relaydiffusion.diffusion.Cancellation;
import org.relaydiffusion.nativeconfig.NativeThreads;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.GradMode;
import org.relaydiffusion.torch.LinearAlgebra;
import org.relaydiffusion.torch.Pointwise;
import org.relaydiffusion.torch.Reduction;
import org.relaydiffusion.torch.Reduction.KeepDim;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;

/**
 * Accumulates the mean and covariance of samples without keeping the samples. All sums are float64.
 * Rows are collected into blocks of fixed size, each block is centred on its own mean, and blocks
 * are combined with the pairwise update of Chan, Golub and LeVeque (1979), so that a large common
 * offset is never squared.
 *
 * <p>The same rows in the same order give the same bits regardless of batches and threads, as long
 * as nothing is read or merged in between; otherwise, or for other orders, results agree up to
 * rounding.
 *
 * <p>Holds one [D, D] matrix and one block of rows, which {@link #close()} frees. Not thread-safe.
 */
public final class MomentsAccumulator implements AutoCloseable {
  /** The number of rows of a block. */
  static final int BLOCK_ROWS = 1024;

  /** The scatter is updated in tiles of this size, each on one thread. */
  private static final long TILE = 512;

  private final long dimensions;
  private final Tensor mean;
  private final Tensor scatter;
  private final @Nullable Workers workers;
  private @Nullable Tensor pending;
  private long pendingRows;
  private long joinedRows;

  /**
   * Creates an empty accumulator with LibTorch's number of threads.
   *
   * @param dimensions D, the number of elements per sample; at least 1
   */
  public MomentsAccumulator(long dimensions) {
    this(dimensions, NativeThreads.threads());
  }

  /**
   * Creates an empty accumulator.
   *
   * @param dimensions D, the number of elements per sample; at least 1
   * @param threads number of threads, which does not affect the result; at least 1
   */
  public MomentsAccumulator(long dimensions, int threads) {
    if (dimensions < 1) {
      throw new RdmException("samples must have at least 1 dimension, but have " + dimensions);
    }
    this.dimensions = dimensions;
    mean = Torch.zeros(DType.FLOAT64, dimensions).release();
    scatter = Torch.zeros(DType.FLOAT64, dimensions, dimensions).release();
    workers = threads == 1 || dimensions <= TILE ? null : new Workers(threads, new Cancellation());
  }

  /**
   * Adds samples.
   *
   * @param batch float32 or float64 [n, D], on any device; n may be 0
   * @throws RdmException if the dtype or shape is different
   */
  public void add(Tensor batch) {
    boolean accepted =
        batch.rank() == 2
            && batch.size(1) == dimensions
            && (batch.dtype() == DType.FLOAT32 || batch.dtype() == DType.FLOAT64);
    if (!accepted) {
      throw new RdmException(
          "a batch must be float32 or float64 [n, %s], not %s"
              .formatted(dimensions, batch.describe()));
    }
    try (TensorScope _ = TensorScope.open();
        GradMode _ = GradMode.noGrad()) {
      Tensor rows = batch.to(Device.CPU);
      long n = rows.size(0);
      for (long at = 0; at < n; ) {
        long part = Math.min(n - at, BLOCK_ROWS - pendingRows);
        Shapes.narrow(block(), 0, pendingRows, part).copyFrom(Shapes.narrow(rows, 0, at, part));
        pendingRows += part;
        at += part;
        if (pendingRows == BLOCK_ROWS) {
          joinPending();
        }
      }
    }
  }

  /** Adds concatenated samples: {@code rows.length} must be a multiple of D. */
  public void add(double[] rows) {
    try (Tensor batch = Torch.tensor(rows, wholeRows(rows.length), dimensions)) {
      add(batch);
    }
  }

  /** Adds concatenated samples: {@code rows.length} must be a multiple of D. */
  public void add(float[] rows) {
    try (Tensor batch = Torch.tensor(rows, wholeRows(rows.length), dimensions)) {
      add(batch);
    }
  }

  /** Adds all samples of another accumulator, which is unchanged. */
  public void merge(MomentsAccumulator other) {
    if (other == this) {
      throw new RdmException("an accumulator cannot be merged into itself");
    }
    merge(other.count(), other.mean(), other.scatter());
  }

  /**
   * Adds samples accumulated by another process.
   *
   * @param count its {@link #count()}
   * @param mean its {@link #mean()}, float64 [D]
   * @param scatter its {@link #scatter()}, float64 [D, D]
   */
  public void merge(long count, Tensor mean, Tensor scatter) {
    checkPart("mean", mean, dimensions);
    checkPart("scatter", scatter, dimensions, dimensions);
    if (count < 0) {
      throw new RdmException("the number of samples must not be negative, but is " + count);
    }
    if (count > 0) {
      try (TensorScope _ = TensorScope.open();
          GradMode _ = GradMode.noGrad()) {
        joinPending();
        join(count, mean.to(Device.CPU), scatter.to(Device.CPU));
      }
    }
  }

  /** Returns D, the number of elements per sample. */
  public long dimensions() {
    return dimensions;
  }

  /** Returns the number of samples so far. */
  public long count() {
    return joinedRows + pendingRows;
  }

  /**
   * Returns the mean so far, float64 [D], 0 without samples; owned by this object, and updated with
   * it.
   */
  public Tensor mean() {
    joinPending();
    return mean;
  }

  /**
   * Returns the sum of (x - mean)(x - mean)^T so far, float64 [D, D]; owned by this object, and
   * updated with it.
   */
  public Tensor scatter() {
    joinPending();
    return scatter;
  }

  /**
   * Returns the moments of all samples so far.
   *
   * @return the moments, which the caller closes
   * @throws RdmException if there are fewer than 2 samples, or one is not finite
   */
  public Moments moments() {
    joinPending();
    if (joinedRows < 2) {
      throw new RdmException(
          "an unbiased covariance requires at least 2 samples, but there are " + joinedRows);
    }
    try (TensorScope _ = TensorScope.open();
        GradMode _ = GradMode.noGrad()) {
      // A matrix product may round (i, j) and (j, i) differently.
      Tensor twice = scatter.add(Shapes.transpose(scatter, 0, 1));
      return Moments.of(mean, twice.div(2.0 * (joinedRows - 1)), joinedRows);
    }
  }

  /** Frees the sums, and ends the threads. */
  @Override
  public void close() {
    if (workers != null) {
      workers.close();
    }
    mean.close();
    scatter.close();
    if (pending != null) {
      pending.close();
    }
  }

  private Tensor block() {
    Tensor block = pending;
    if (block == null) {
      block = Torch.empty(DType.FLOAT64, Device.CPU, BLOCK_ROWS, dimensions).release();
      pending = block;
    }
    return block;
  }

  private void joinPending() {
    if (pendingRows == 0) {
      return;
    }
    try (TensorScope _ = TensorScope.open();
        GradMode _ = GradMode.noGrad()) {
      Tensor rows = Shapes.narrow(block(), 0, 0, pendingRows);
      Tensor blockMean = Reduction.mean(rows, KeepDim.NO, 0);
      try (Tensor centred = rows.sub(blockMean).release()) {
        joinMeans(pendingRows, blockMean);
        addProducts(centred);
      }
      pendingRows = 0;
    }
  }

  /** Adds C^T C in tiles; tiles above the diagonal are copied from those below. */
  private void addProducts(Tensor centred) {
    List<Tile> tiles = new ArrayList<>();
    for (long row = 0; row < dimensions; row += TILE) {
      for (long column = 0; column <= row; column += TILE) {
        tiles.add(new Tile(row, column));
      }
    }
    if (workers == null) {
      tiles.forEach(tile -> add(tile, centred));
    } else {
      workers.run(
          tiles.size(),
          i -> {
            add(tiles.get(i), centred);
            return i;
          },
          _ -> {});
    }
  }

  private record Tile(long row, long column) {}

  private void add(Tile tile, Tensor centred) {
    try (TensorScope _ = TensorScope.open()) {
      long rows = Math.min(TILE, dimensions - tile.row);
      long columns = Math.min(TILE, dimensions - tile.column);
      Tensor left = Shapes.transpose(Shapes.narrow(centred, 1, tile.row, rows), 0, 1);
      Tensor product = LinearAlgebra.matmul(left, Shapes.narrow(centred, 1, tile.column, columns));
      Pointwise.addInPlace(part(tile.row, rows, tile.column, columns), product);
      if (tile.row != tile.column) {
        Pointwise.addInPlace(
            part(tile.column, columns, tile.row, rows), Shapes.transpose(product, 0, 1));
      }
    }
  }

  private Tensor part(long row, long rows, long column, long columns) {
    return Shapes.narrow(Shapes.narrow(scatter, 0, row, rows), 1, column, columns);
  }

  private void join(long count, Tensor otherMean, Tensor otherScatter) {
    joinMeans(count, otherMean);
    Pointwise.addInPlace(scatter, otherScatter);
  }

  /** Chan's update: adds the other scatter, and that of the two means. */
  private void joinMeans(long count, Tensor otherMean) {
    long total = Math.addExact(joinedRows, count);
    Tensor shift = otherMean.sub(mean);
    if (joinedRows > 0) {
      double weight = (double) joinedRows * count / total;
      Tensor outer = shift.mul(weight).reshape(dimensions, 1).mul(shift);
      Pointwise.addInPlace(scatter, outer);
      outer.close();
    }
    Pointwise.addInPlace(mean, shift.mul((double) count / total));
    joinedRows = total;
  }

  private long wholeRows(int length) {
    if (length % dimensions != 0) {
      throw new RdmException(
          "%s values are not a multiple of %s dimensions".formatted(length, dimensions));
    }
    return length / dimensions;
  }

  private static void checkPart(String what, Tensor part, long... sizes) {
    if (part.dtype() != DType.FLOAT64 || !Arrays.equals(part.shape(), sizes)) {
      throw new RdmException(
          "a %s to merge must be float64%s, not %s"
              .formatted(what, Arrays.toString(sizes), part.describe()));
    }
  }
}
