package org.relaydiffusion.metrics.npy;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.zip.CRC32;
import java.util.zip.CheckedInputStream;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.FileException;
import org.relaydiffusion.io.AtomicFile;
import org.relaydiffusion.io.InputFile;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.Torch;

/**
 * One array, read from its first row to its last, a block of rows at a time: memory is bounded by
 * the block, whatever the array's size. What the header claims is checked against the file's length
 * before anything is allocated.
 *
 * <p>{@link #close()} closes the file. For one thread at a time.
 */
public final class NpyReader implements AutoCloseable {
  private static final int CHUNK = 1 << 20;

  private final Path path;
  private final String what;
  private final CheckedInputStream in;
  private final @Nullable Long crc;
  private final NpyHeader header;
  private final byte[] chunk = new byte[CHUNK];
  private long nextRow;

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
    this.in = new CheckedInputStream(bytes, new CRC32());
    this.crc = crc;
    this.header = NpyHeader.read(in, path, what);
    checkLength(length - header.byteSize());
  }

  /**
   * Opens an .npy file.
   *
   * @throws FileException when it cannot be read, is not an .npy file, holds another type or order
   *     than those known, or is not exactly as long as its header says
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

  /** The element type: float32, float64, uint8 or int64. */
  public DType dtype() {
    return header.dtype();
  }

  /** The whole array's sizes, outermost first; one axis or more. */
  public long[] shape() {
    return header.shape();
  }

  /** The number of rows (of the outermost axis) that have not been read yet. */
  public long remainingRows() {
    return header.shape()[0] - nextRow;
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
                  dtype().torchName(),
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
   * @return [n, ...] in the array's own type; it belongs to the innermost scope, or to the caller
   * @throws FileException when the file ends early or its checksum is wrong
   */
  public Tensor read(long most) {
    if (most < 1) {
      throw new IllegalArgumentException("rows are read 1 or more at a time, not " + most);
    }
    long[] shape = header.shape();
    shape[0] = Math.min(most, remainingRows());
    Tensor block = Torch.empty(dtype(), Device.CPU, shape);
    try {
      if (block.numel() > 0) {
        fill(block.memory());
      }
      nextRow += shape[0];
      if (remainingRows() == 0) {
        checkEnd();
      }
      return block;
    } catch (IOException e) {
      block.close();
      throw new FileException(
          path, "%s cannot be read: %s".formatted(what, AtomicFile.reason(e)), e);
    } catch (RuntimeException e) {
      block.close();
      throw e;
    }
  }

  /** Closes the file. */
  @Override
  public void close() {
    closeQuietly(in);
  }

  private void fill(MemorySegment target) throws IOException {
    for (long at = 0; at < target.byteSize(); ) {
      int wanted = (int) Math.min(CHUNK, target.byteSize() - at);
      int got = in.readNBytes(chunk, 0, wanted);
      MemorySegment.copy(chunk, 0, target, ValueLayout.JAVA_BYTE, at, got);
      at += got;
      if (got < wanted) {
        throw new FileException(path, "%s is cut off".formatted(what));
      }
    }
  }

  private void checkEnd() throws IOException {
    if (in.read() >= 0) {
      throw new FileException(path, "%s goes on after its last element".formatted(what));
    }
    if (crc != null && in.getChecksum().getValue() != crc) {
      throw new FileException(
          path,
          "%s has the checksum %08x, but %08x was written: the file is damaged"
              .formatted(what, in.getChecksum().getValue(), crc));
    }
  }

  private void checkLength(long bytes) {
    long[] shape = header.shape();
    if (shape.length == 0) {
      throw new FileException(path, "%s is a single number, not an array".formatted(what));
    }
    long expected = dtype().byteSize();
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
              .formatted(what, dtype().torchName(), Arrays.toString(shape), expected, bytes));
    }
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
