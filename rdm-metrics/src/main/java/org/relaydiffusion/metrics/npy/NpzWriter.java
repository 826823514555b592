// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.metrics.npy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import org.relaydiffusion.FileException;
import org.relaydiffusion.io.AtomicFile;
import org.relaydiffusion.io.StoredZipWriter;
import org.relaydiffusion.io.StoredZipWriter.Layout;
import org.relaydiffusion.io.StoredZipWriter.Limits;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Tensor;

/**
 * Writes an .npz file with the same bytes as {@code np.savez}: stored entries, row-major. Arrays
 * are written in blocks of rows, and may be larger than memory and than 4 GiB.
 */
public final class NpzWriter {
  private final StoredZipWriter zip;

  private NpzWriter(FileChannel out, Limits limits) {
    zip = new StoredZipWriter(out, Layout.NUMPY, limits);
  }

  /** The content of a file. */
  @FunctionalInterface
  public interface Content {
    /**
     * Adds every array.
     *
     * @param out receives them; must not be used afterwards
     * @throws IOException if it cannot be written
     */
    void addTo(NpzWriter out) throws IOException;
  }

  /** The content of an array. */
  @FunctionalInterface
  public interface Rows {
    /**
     * Supplies every row, in order.
     *
     * @param out receives them; must not be used afterwards
     * @throws IOException if it cannot be written
     */
    void writeTo(NpyWriter out) throws IOException;
  }

  /**
   * Writes {@code target} atomically.
   *
   * @throws FileException naming it, if it cannot be written
   */
  public static void write(Path target, Content content) {
    write(target, content, Limits.FORMAT);
  }

  static void write(Path target, Content content, Limits limits) {
    AtomicFile.write(
        target,
        channel -> {
          NpzWriter out = new NpzWriter(channel, limits);
          content.addTo(out);
          out.zip.finish();
        });
  }

  /**
   * Records the provenance of the arrays in the comment of the archive, which numpy ignores.
   *
   * @param text ASCII, at most 65535 characters
   */
  public void comment(String text) {
    zip.comment(text);
  }

  /**
   * Adds an array.
   *
   * @param name without {@code .npy}, in ASCII
   * @param dtype float32, float64, uint8 or int64; rows of other dtypes are converted to it
   * @param shape the sizes, outermost first; at least one axis
   * @param rows supplies the number of rows of the shape
   * @throws org.relaydiffusion.RdmException if it supplies a different number
   * @throws IOException if it cannot be written
   */
  public void array(String name, DType dtype, long[] shape, Rows rows) throws IOException {
    byte[] header = NpyHeader.bytes(dtype, shape);
    long size = header.length + NpyHeader.dataBytes(dtype, shape);
    zip.add(
        name + ".npy",
        size,
        sink -> {
          sink.accept(ByteBuffer.wrap(header));
          NpyWriter out = new NpyWriter(name, dtype, shape.clone(), sink);
          rows.writeTo(out);
          out.checkWhole();
        });
  }

  /** Adds an array in memory, in its own dtype. */
  public void array(String name, Tensor values) throws IOException {
    array(name, values.dtype(), values.shape(), out -> out.write(values));
  }
}
