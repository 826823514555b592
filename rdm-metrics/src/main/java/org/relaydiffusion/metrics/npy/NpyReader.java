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
 * One array, read from its first row to its last, a block of rows at a time: memory is bounded by
 * the block, whatever the array's size. What the header claims is checked against the file's length
 * before anything is allocated.
 *
 * <p>Elements may be little-endian or big-endian. Those without a type of the same width here come
 * as the next wider one: float16 as float32, uint16 as int32, uint32 and uint64 as int64, bool as
 * uint8. An array in Fortran (column-major) order is turned in memory, up to {@value
 * #MOST_COLUMN_MAJOR} bytes of it.
 *
 * <p>{@link #close()} closes the file. For one thread at a time.
 */
public final class NpyReader implements AutoCloseable {
  /** The largest array in Fortran order: its first row is spread over the whole of it. */
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
   * A reader over bytes that the caller has measured; takes the stream.
   *
   * @param length the number of bytes in {@code bytes}
   * @param crc the checksum that they must have, if it is known
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
   * @throws FileException when it cannot be read, is not an .npy file, or is not exactly as long as
   *     its header says
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

  /** Whether a file starts as .npy files do. */
  static boolean isNpy(Path path) {
    try (InputStream in = InputFile.stream(path)) {
      return NpyHeader.isMagic(in.readNBytes(8));
    } catch (IOException _) {
      return false;
    }
  }

  /** Whether the elements are plain numbers; others cannot be read. */
  public boolean isNumeric() {
    return type.isPresent();
  }

  /**
   * The type in which elements are handed out.
   *
   * @throws FileException when they are no plain numbers
   */
  public DType dtype() {
    return type().dtype();
  }

  /** The whole array's sizes, outermost first; empty for a single number. */
  public long[] shape() {
    return header.shape();
  }

  /**
   * The number of rows (of the outermost axis) that have not been read yet; a single number counts
   * as one.
   */
  public long remainingRows() {
    return rows() - nextRow;
  }

  /**
   * Refuses the array unless it has elements of one of {@code types} and the sizes {@code sizes}.
   *
   * @param sizes -1 stands for any size
   * @return this
   * @throws FileException naming the array, what was expected and what it is
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
   * @param most how many, 1 or more; fewer come when fewer are left
   * @return [n, ...] of {@link #dtype()}, [] for a single number; it belongs to the innermost
   *     scope, or to the caller
   * @throws FileException when the file ends early, its checksum is wrong, the elements are no
   *     plain numbers, or the array is in Fortran order and too large to be turned
   */
  public Tensor read(long most) {
    if (most < 1) {
      throw new IllegalArgumentException("rows are read 1 or more at a time, not " + most);
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
   * Passes over the next rows. Of an array that is not compressed, they are not read; the checksum
   * of one from which rows were left out is not looked at.
   *
   * @param rows at most {@link #remainingRows()}
   * @throws FileException when the file cannot be read
   */
  public void skip(long rows) {
    if (rows < 0 || rows > remainingRows()) {
      throw new IllegalArgumentException(
          "%s rows cannot be skipped where %s are left".formatted(rows, remainingRows()));
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
            "%s has elements of type '%s', which are no plain numbers"
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

  /** With one axis or none, both orders are the same. */
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

  /** The next rows of an array that is read and turned as a whole. */
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
          "%s is in Fortran (column-major) order and has %s bytes, where %s are the most: save"
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
   * The next bytes of the file as a tensor.
   *
   * @param last whether the array must end with them
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
        throw new FileException(path, "%s is cut off".formatted(what));
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
      throw new FileException(path, "%s goes on after its last element".formatted(what));
    }
    if (crc != null && !skipped && in.getChecksum().getValue() != crc) {
      throw new FileException(
          path,
          "%s has the checksum %08x, but %08x was written: the file is damaged"
              .formatted(what, in.getChecksum().getValue(), crc));
    }
  }

  private void checkLength(NpyType elements, long bytes) {
    long[] shape = header.shape();
    long expected = elements.byteSize();
    for (int i = 0; i < shape.length; i++) {
      // Rows without elements would let an empty file claim any number of them.
      if (shape[i] == 0 && i > 0) {
        throw new FileException(
            path, "%s has rows without elements: %s".formatted(what, Arrays.toString(shape)));
      }
      expected *= shape[i];
    }
    if (expected != bytes) {
      throw new FileException(
          path,
          "%s claims %s%s, which takes %s bytes, but it has %s"
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
        // Only read from: nothing is lost, and an error that matters has been reported.
      }
    }
  }
}
