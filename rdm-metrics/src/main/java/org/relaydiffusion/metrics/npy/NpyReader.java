// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.metrics.npy;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import java.util.zip.CRC32;
import java.util.zip.CheckedInputStream;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.FileException;
import org.relaydiffusion.Printable;
import org.relaydiffusion.io.AtomicFile;
import org.relaydiffusion.io.InputFile;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;

/**
 * Reads one array from its first row to its last, in blocks of rows, so that memory is bounded by
 * the block size. The header is validated against the length of the file before anything is
 * allocated.
 *
 * <p>Elements may be little-endian or big-endian. Types without an equivalent dtype are widened:
 * float16 to float32, uint16 to int32, uint32 and uint64 to int64, bool to uint8. An array in
 * Fortran (column-major) order is transposed in memory, up to {@value #MOST_COLUMN_MAJOR} bytes.
 *
 * <p>{@link #close()} closes the file. Not thread-safe.
 */
public final class NpyReader implements AutoCloseable {
  /** The maximum size of an array in Fortran order, whose first row is spread over all of it. */
  static final long MOST_COLUMN_MAJOR = 1L << 28;

  private static final int CHUNK = 1 << 20;

  private final Path path;
  private final String what;
  private final InputStream bytes;
  private final CheckedInputStream in;
  private final @Nullable Long crc;
  private final NpyHeader header;
  private final Optional<NpyType> type;
  private final byte[] chunk = new byte[CHUNK];
  private long nextRow;
  private boolean skipped;
  private @Nullable Tensor turned;

  /**
   * Creates a reader of bytes with a known length; takes ownership of the stream.
   *
   * @param length the number of bytes in {@code bytes}
   * @param crc the expected checksum, if known
   */
  NpyReader(Path path, String what, InputStream bytes, long length, @Nullable Long crc)
      throws IOException {
    this.path = path;
    this.what = what;
    this.bytes = bytes;
    this.in = new CheckedInputStream(bytes, new CRC32());
    this.crc = crc;
    this.header = NpyHeader.read(in, path, what);
    this.type = NpyType.of(header.descr());
    if (type.isPresent()) {
      checkLength(type.get(), length - header.byteSize());
    }
  }

  /**
   * Opens an .npy file.
   *
   * @throws FileException if it cannot be read, is not an .npy file, or its length does not match
   *     its header
   */
  public static NpyReader open(Path path) {
    InputStream in = null;
    try {
      in = new BufferedInputStream(InputFile.stream(path), CHUNK);
      return new NpyReader(path, "the array", in, Files.size(path), null);
    } catch (IOException e) {
      closeQuietly(in);
      throw new FileException(path, "cannot be read: " + AtomicFile.reason(e), e);
    } catch (RuntimeException e) {
      closeQuietly(in);
      throw e;
    }
  }

  /** Returns whether a file begins like an .npy file. */
  static boolean isNpy(Path path) {
    try (InputStream in = InputFile.stream(path)) {
      return NpyHeader.isMagic(in.readNBytes(8));
    } catch (IOException _) {
      return false;
    }
  }

  /** Returns whether the elements are plain numbers; others cannot be read. */
  public boolean isNumeric() {
    return type.isPresent();
  }

  /**
   * Returns the dtype of the returned elements.
   *
   * @throws FileException if they are not plain numbers
   */
  public DType dtype() {
    return type().dtype();
  }

  /** Returns the shape of the complete array, outermost axis first; empty for a scalar. */
  public long[] shape() {
    return header.shape();
  }

  /**
   * Returns the number of rows (of the outermost axis) that have not been read yet; a scalar counts
   * as one.
   */
  public long remainingRows() {
    return rows() - nextRow;
  }

  /**
   * Rejects the array unless its dtype is one of {@code types} and its shape is {@code sizes}.
   *
   * @param sizes -1 matches any size
   * @return this
   * @throws FileException naming the array, what was expected and what was found
   */
  public NpyReader expect(List<DType> types, long... sizes) {
    long[] shape = header.shape();
    boolean fits = types.contains(dtype()) && shape.length == sizes.length;
    for (int i = 0; fits && i < sizes.length; i++) {
      fits = sizes[i] < 0 || sizes[i] == shape[i];
    }
    if (!fits) {
      String names = String.join(" or ", types.stream().map(DType::torchName).toList());
      throw new FileException(
          path,
          "%s is %s%s, but %s%s was expected"
              .formatted(
                  what,
                  type().torchName(),
                  Arrays.toString(shape),
                  names,
                  Arrays.toString(sizes).replace("-1", "any")));
    }
    return this;
  }

  /**
   * Reads the next rows.
   *
   * @param most maximum number of rows, at least 1; fewer are returned if fewer are left
   * @return [n, ...] of {@link #dtype()}, [] for a scalar; owned by the innermost scope, or by the
   *     caller
   * @throws FileException if the file ends early, its checksum is wrong, the elements are not plain
   *     numbers, or the array is in Fortran order and too large to be transposed
   */
  public Tensor read(long most) {
    if (most < 1) {
      throw new IllegalArgumentException(
          "the number of rows to read must be at least 1, but is " + most);
    }
    long rows = Math.min(most, remainingRows());
    try {
      Tensor block = isColumnMajor() ? readTurned(rows) : readPlain(rows);
      nextRow += rows;
      return block;
    } catch (IOException e) {
      throw unreadable(e);
    }
  }

  /**
   * Skips the next rows. In an uncompressed array, they are not read; the checksum is not verified
   * if rows were skipped.
   *
   * @param rows at most {@link #remainingRows()}
   * @throws FileException if the file cannot be read
   */
  public void skip(long rows) {
    if (rows < 0 || rows > remainingRows()) {
      throw new IllegalArgumentException(
          "cannot skip %s rows: only %s are left".formatted(rows, remainingRows()));
    }
    if (rows == 0) {
      return;
    }
    if (!isColumnMajor()) {
      skipped = true;
      try {
        bytes.skipNBytes(rows * rowBytes());
      } catch (IOException e) {
        throw unreadable(e);
      }
    }
    nextRow += rows;
  }

  /** Closes the file. */
  @Override
  public void close() {
    closeQuietly(in);
    if (turned != null) {
      turned.close();
    }
  }

  private NpyType type() {
    return type.orElseThrow(() ->
        new FileException(
            path,
            "%s has elements of type '%s', which are not plain numbers"
                .formatted(what, Printable.of(header.descr()))));
  }

  private long rows() {
    long[] shape = header.shape();
    return shape.length == 0 ? 1 : shape[0];
  }

  private long rowBytes() {
    long bytes = type().byteSize();
    long[] shape = header.shape();
    for (int i = 1; i < shape.length; i++) {
      bytes *= shape[i];
    }
    return bytes;
  }

  /** With at most one axis, both orders are the same. */
  private boolean isColumnMajor() {
    return header.order() == NpyHeader.Order.COLUMN_MAJOR && header.shape().length > 1;
  }

  private Tensor readPlain(long rows) throws IOException {
    long[] shape = header.shape();
    if (shape.length > 0) {
      shape[0] = rows;
    }
    return filled(shape, nextRow + rows == rows());
  }

  /** Returns the next rows of an array that is read and transposed as a whole. */
  private Tensor readTurned(long rows) throws IOException {
    Tensor whole = turned;
    if (whole == null) {
      whole = turn();
      turned = whole;
    }
    try (TensorScope scope = TensorScope.open()) {
      return scope.keep(Shapes.copy(Shapes.narrow(whole, 0, nextRow, rows)));
    }
  }

  private Tensor turn() throws IOException {
    long[] shape = header.shape();
    long size = rows() * rowBytes();
    if (size > MOST_COLUMN_MAJOR) {
      throw new FileException(
          path,
          "%s is in Fortran (column-major) order and has %s bytes, but the maximum is %s: save"
                  .formatted(what, size, MOST_COLUMN_MAJOR)
              + " np.ascontiguousarray of it");
    }
    int axes = shape.length;
    long[] reversed = IntStream.range(0, axes).mapToLong(i -> shape[axes - 1 - i]).toArray();
    long[] axis = LongStream.range(0, axes).map(i -> axes - 1 - i).toArray();
    try (TensorScope _ = TensorScope.open()) {
      return Shapes.permute(filled(reversed, true), axis).contiguous().release();
    }
  }

  /**
   * Returns the next bytes of the file as a tensor.
   *
   * @param last whether the array must end after them
   */
  private Tensor filled(long[] shape, boolean last) throws IOException {
    Tensor block = Torch.empty(dtype(), Device.CPU, shape);
    try {
      if (block.numel() > 0) {
        fill(block.memory());
      }
      if (last) {
        checkEnd();
      }
      return block;
    } catch (IOException | RuntimeException e) {
      block.close();
      throw e;
    }
  }

  private void fill(MemorySegment target) throws IOException {
    NpyType elements = type();
    boolean asTheyAre = !header.isBigEndian() && elements.dtype().byteSize() == elements.byteSize();
    int wide = elements.dtype().byteSize() / elements.byteSize();
    for (long at = 0; at < target.byteSize(); ) {
      int wanted = (int) Math.min(CHUNK, (target.byteSize() - at) / wide);
      int got = in.readNBytes(chunk, 0, wanted);
      if (got < wanted) {
        throw new FileException(path, "%s is truncated".formatted(what));
      }
      if (asTheyAre) {
        MemorySegment.copy(chunk, 0, target, ValueLayout.JAVA_BYTE, at, got);
      } else {
        ByteOrder order = header.isBigEndian() ? ByteOrder.BIG_ENDIAN : ByteOrder.LITTLE_ENDIAN;
        elements.decode(ByteBuffer.wrap(chunk, 0, got).order(order), target, at);
      }
      at += (long) got * wide;
    }
  }

  private void checkEnd() throws IOException {
    if (in.read() >= 0) {
      throw new FileException(path, "%s has data after its last element".formatted(what));
    }
    if (crc != null && !skipped && in.getChecksum().getValue() != crc) {
      throw new FileException(
          path,
          "%s has the checksum %08x instead of %08x: the file is damaged"
              .formatted(what, in.getChecksum().getValue(), crc));
    }
  }

  private void checkLength(NpyType elements, long bytes) {
    long[] shape = header.shape();
    long expected = elements.byteSize();
    for (int i = 0; i < shape.length; i++) {
      // Rows without elements would allow an empty file to declare any number of them.
      if (shape[i] == 0 && i > 0) {
        throw new FileException(
            path, "%s has rows without elements: %s".formatted(what, Arrays.toString(shape)));
      }
      expected *= shape[i];
    }
    if (expected != bytes) {
      throw new FileException(
          path,
          "%s declares %s%s, which takes %s bytes, but it has %s"
              .formatted(what, elements.torchName(), Arrays.toString(shape), expected, bytes));
    }
  }

  private FileException unreadable(IOException e) {
    return new FileException(
        path, "%s cannot be read: %s".formatted(what, AtomicFile.reason(e)), e);
  }

  private static void closeQuietly(@Nullable InputStream in) {
    if (in != null) {
      try {
        in.close();
      } catch (IOException e) {
        // The file was only read: nothing is lost, and relevant errors have been reported.
      }
    }
  }
}
