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
 * Writes an .npz file as {@code np.savez} does, to the bit: stored members, row-major. An array is
 * given a block of rows at a time, and may be larger than memory and than 4 GiB.
 */
public final class NpzWriter {
  private final StoredZipWriter zip;

  private NpzWriter(FileChannel out, Limits limits) {
    zip = new StoredZipWriter(out, Layout.NUMPY, limits);
  }

  /** What fills a file. */
  @FunctionalInterface
  public interface Content {
    /**
     * Adds every array.
     *
     * @param out takes them; not to be used afterwards
     * @throws IOException when it cannot be written
     */
    void addTo(NpzWriter out) throws IOException;
  }

  /** What fills an array. */
  @FunctionalInterface
  public interface Rows {
    /**
     * Gives every row, in order.
     *
     * @param out takes them; not to be used afterwards
     * @throws IOException when it cannot be written
     */
    void writeTo(NpyWriter out) throws IOException;
  }

  /**
   * Writes {@code target}, which appears whole or not at all.
   *
   * @throws FileException naming it, when it cannot be written
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
   * Says where the arrays are from, in the archive's comment, which numpy passes over.
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
   * @param dtype float32, float64, uint8 or int64; rows of other types are converted to it
   * @param shape the sizes, outermost first; one axis or more
   * @param rows gives as many rows as the shape says
   * @throws org.relaydiffusion.RdmException when it gives others
   * @throws IOException when it cannot be written
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

  /** Adds an array that lies in memory, in its own type. */
  public void array(String name, Tensor values) throws IOException {
    array(name, values.dtype(), values.shape(), out -> out.write(values));
  }
}
