// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.metrics.extraction;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.relaydiffusion.metrics.Feature;
import org.relaydiffusion.metrics.WorkListener;
import org.relaydiffusion.metrics.inception.InceptionFeatures;
import org.relaydiffusion.metrics.npy.NpyReader;
import org.relaydiffusion.metrics.npy.NpyWriter;
import org.relaydiffusion.metrics.npy.NpzFile;
import org.relaydiffusion.metrics.npy.NpzWriter;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Tensor;

/**
 * The features themselves: float32 in parts, as computed by the network, and float64 in the target,
 * as written by the reference.
 *
 * @param chunk number of images per part
 */
record RowParts(int chunk) implements PartFormat {
  /** The amount of work lost when a process is killed; 8 MB of Inception features. */
  static final RowParts DEFAULT = new RowParts(512);

  @Override
  public String name() {
    return "activations";
  }

  @Override
  public int chunkSize(int images) {
    return chunk;
  }

  @Override
  public Collector begin() {
    return new Rows();
  }

  @Override
  public ExtractionResult.Written join(
      Path file, List<Path> parts, Chunks chunks, String comment, WorkListener listener) {
    long dimensions = dimensions(parts.getFirst(), Feature.POOL);
    long spatialDimensions = dimensions(parts.getFirst(), Feature.SPATIAL);
    NpzWriter.write(
        file,
        out -> {
          out.comment(comment);
          out.array(
              Feature.POOL.array(),
              DType.FLOAT64,
              new long[] {chunks.images(), dimensions},
              rows -> copy(rows, Feature.POOL, dimensions, parts, chunks, listener));
          out.array(
              Feature.SPATIAL.array(),
              DType.FLOAT64,
              new long[] {chunks.images(), spatialDimensions},
              rows -> copy(rows, Feature.SPATIAL, spatialDimensions, parts, chunks, listener));
        });
    return new ExtractionResult.Written(chunks.images(), dimensions, spatialDimensions);
  }

  private static long dimensions(Path part, Feature feature) {
    try (NpzFile file = NpzFile.open(part);
        NpyReader rows = file.array(feature.array()).expect(List.of(DType.FLOAT32), -1, -1)) {
      return rows.shape()[1];
    }
  }

  @SuppressWarnings("EnumOrdinal") // How many arrays come before it.
  private static void copy(
      NpyWriter out,
      Feature feature,
      long dimensions,
      List<Path> parts,
      Chunks chunks,
      WorkListener listener)
      throws IOException {
    for (int i = 0; i < parts.size(); i++) {
      try (NpzFile file = NpzFile.open(parts.get(i));
          NpyReader rows =
              file.array(feature.array())
                  .expect(List.of(DType.FLOAT32), chunks.length(i), dimensions);
          Tensor block = rows.read(chunks.length(i))) {
        out.write(block);
      }
      listener.advanced(feature.ordinal() * parts.size() + i + 1, 2L * parts.size());
    }
  }

  /** The rows of a chunk. */
  private static final class Rows implements Collector {
    private final List<Tensor> pool = new ArrayList<>();
    private final List<Tensor> spatial = new ArrayList<>();

    @Override
    public void add(InceptionFeatures features) {
      pool.add(kept(features.pool()));
      spatial.add(kept(features.spatial()));
    }

    private static Tensor kept(Tensor rows) {
      try (Tensor single = rows.to(DType.FLOAT32)) {
        return Shapes.copy(single).release();
      }
    }

    @Override
    public void write(Path part) {
      NpzWriter.write(
          part,
          out -> {
            array(out, Feature.POOL, pool);
            array(out, Feature.SPATIAL, spatial);
          });
    }

    private static void array(NpzWriter out, Feature feature, List<Tensor> blocks)
        throws IOException {
      long rows = blocks.stream().mapToLong(b -> b.size(0)).sum();
      out.array(
          feature.array(),
          DType.FLOAT32,
          new long[] {rows, blocks.getFirst().size(1)},
          array -> {
            for (Tensor block : blocks) {
              array.write(block);
            }
          });
    }

    @Override
    public void close() {
      pool.forEach(Tensor::close);
      spatial.forEach(Tensor::close);
    }
  }
}
