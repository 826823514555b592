// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.metrics.extraction;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.FileException;
import org.relaydiffusion.metrics.Feature;
import org.relaydiffusion.metrics.Moments;
import org.relaydiffusion.metrics.MomentsAccumulator;
import org.relaydiffusion.metrics.WorkListener;
import org.relaydiffusion.metrics.inception.InceptionFeatures;
import org.relaydiffusion.metrics.npy.NpyReader;
import org.relaydiffusion.metrics.npy.NpzFile;
import org.relaydiffusion.metrics.npy.NpzWriter;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;

/**
 * Sums from which the moments are computed: for each chunk the mean and the scatter (x - mean)(x -
 * mean)^T of both kinds of features. They are combined in the order of the chunks, so the bits do
 * not depend on the number of processes or on interruptions.
 *
 * <p>A part takes 66 MB for Inception, regardless of the number of images, so chunks grow with the
 * data set: there are at most {@value #MOST_PARTS} of them, 4.3 GB.
 *
 * @param smallest minimum number of images per part; sizes are multiples of it
 */
record MomentParts(int smallest) implements PartFormat {
  private static final int MOST_PARTS = 64;

  /** The number of rows in a block of the accumulator. */
  static final MomentParts DEFAULT = new MomentParts(1024);

  private static final String PART_MEAN = "mean";
  private static final String PART_SCATTER = "scatter";

  @Override
  public String name() {
    return "moments";
  }

  @Override
  public int chunkSize(int images) {
    return Math.ceilDiv(Math.ceilDiv(images, MOST_PARTS), smallest) * smallest;
  }

  @Override
  public Collector begin() {
    return new Sums();
  }

  @Override
  public ExtractionResult.Written join(
      Path file, List<Path> parts, Chunks chunks, String comment, WorkListener listener) {
    try (Sums total = new Sums()) {
      for (int i = 0; i < parts.size(); i++) {
        total.merge(parts.get(i), chunks.length(i));
        listener.advanced(i + 1, parts.size());
      }
      try (Moments pool = total.pool().moments();
          Moments spatial = total.spatial().moments();
          Tensor count = Torch.tensor(new long[] {chunks.images()}, 1)) {
        NpzWriter.write(
            file,
            out -> {
              out.comment(comment);
              array(out, Feature.POOL, pool);
              array(out, Feature.SPATIAL, spatial);
              out.array("count", count);
            });
        return new ExtractionResult.Written(
            chunks.images(), pool.dimensions(), spatial.dimensions());
      }
    }
  }

  private static void array(NpzWriter out, Feature feature, Moments moments) throws IOException {
    out.array(feature.mean(), moments.mean());
    out.array(feature.covariance(), moments.covariance());
  }

  /** The sums of one chunk, or of several. */
  private static final class Sums implements Collector {
    private @Nullable MomentsAccumulator pool;
    private @Nullable MomentsAccumulator spatial;

    private void begin(long dimensions, long spatialDimensions) {
      if (pool == null) {
        pool = new MomentsAccumulator(dimensions);
        spatial = new MomentsAccumulator(spatialDimensions);
      }
    }

    MomentsAccumulator pool() {
      return begun(pool);
    }

    MomentsAccumulator spatial() {
      return begun(spatial);
    }

    private static MomentsAccumulator begun(@Nullable MomentsAccumulator sums) {
      if (sums == null) {
        throw new IllegalStateException("no features were added");
      }
      return sums;
    }

    @Override
    public void add(InceptionFeatures features) {
      begin(features.pool().size(1), features.spatial().size(1));
      pool().add(features.pool());
      spatial().add(features.spatial());
    }

    @Override
    public void write(Path part) {
      NpzWriter.write(
          part,
          out -> {
            try (Tensor count = Torch.tensor(new long[] {pool().count()}, 1)) {
              out.array("count", count);
            }
            write(out, Feature.POOL, pool());
            write(out, Feature.SPATIAL, spatial());
          });
    }

    private static void write(NpzWriter out, Feature feature, MomentsAccumulator sums)
        throws IOException {
      out.array(name(feature, PART_MEAN), sums.mean());
      out.array(name(feature, PART_SCATTER), sums.scatter());
    }

    private static String name(Feature feature, String what) {
      return feature == Feature.POOL ? what : "s_" + what;
    }

    void merge(Path part, long images) {
      try (TensorScope _ = TensorScope.open();
          NpzFile file = NpzFile.open(part)) {
        long count = read(file, "count", DType.INT64, 1).toLongs()[0];
        if (count != images) {
          throw new FileException(
              part, "has %s images, but %s were expected".formatted(count, images));
        }
        Tensor mean = read(file, name(Feature.POOL, PART_MEAN), DType.FLOAT64, -1);
        Tensor spatialMean = read(file, name(Feature.SPATIAL, PART_MEAN), DType.FLOAT64, -1);
        expectScatter(file, Feature.POOL, mean.size(0));
        expectScatter(file, Feature.SPATIAL, spatialMean.size(0));
        begin(mean.size(0), spatialMean.size(0));
        merge(file, Feature.POOL, count, mean, pool());
        merge(file, Feature.SPATIAL, count, spatialMean, spatial());
      }
    }

    /** Checks that the file contains as much as is about to be allocated for it. */
    private static void expectScatter(NpzFile file, Feature feature, long d) {
      file.array(name(feature, PART_SCATTER)).expect(List.of(DType.FLOAT64), d, d).close();
    }

    private static void merge(
        NpzFile file, Feature feature, long count, Tensor mean, MomentsAccumulator sums) {
      long d = mean.size(0);
      try (Tensor scatter = read(file, name(feature, PART_SCATTER), DType.FLOAT64, d, d)) {
        sums.merge(count, mean, scatter);
      }
    }

    private static Tensor read(NpzFile file, String name, DType dtype, long... sizes) {
      try (NpyReader reader = file.array(name).expect(List.of(dtype), sizes)) {
        return reader.read(Math.max(1, reader.remainingRows()));
      }
    }

    @Override
    public void close() {
      if (pool != null) {
        pool.close();
      }
      if (spatial != null) {
        spatial.close();
      }
    }
  }
}
