// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.checkpoint.pickle;

import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import org.relaydiffusion.checkpoint.pickle.Callable.Kind;

/** A numpy array of unsigned bytes in C order: empty until its state is set. */
public final class NumpyBytes implements Buildable, Described {
  private MemorySegment bytes = MemorySegment.NULL;

  private NumpyBytes() {}

  /** Returns the names allowed in a pickle of such arrays. */
  public static Map<GlobalName, Object> globals() {
    GlobalName array = new GlobalName("numpy", "ndarray");
    GlobalName type = new GlobalName("numpy", "dtype");
    GlobalName old = new GlobalName("numpy.core.multiarray", "_reconstruct");
    GlobalName current = new GlobalName("numpy._core.multiarray", "_reconstruct");
    return Map.of(
        array, new Callable(array, Kind.FUNCTION, _ -> new NumpyBytes()),
        type, new Callable(type, Kind.FUNCTION, NumpyType::of),
        old, new Callable(old, Kind.FUNCTION, _ -> new NumpyBytes()),
        current, new Callable(current, Kind.FUNCTION, _ -> new NumpyBytes()));
  }

  /** Returns the elements in the pickle; at most {@link Integer#MAX_VALUE}. */
  public MemorySegment bytes() {
    return bytes;
  }

  /** Sets the state {@code (version, shape, dtype, fortran_order, bytes)}. */
  @Override
  public void build(Object state) {
    if (!(state instanceof Tuple tuple)
        || tuple.size() != 5
        || !(tuple.get(1) instanceof Tuple shape)
        || !(tuple.get(2) instanceof NumpyType type)
        || !type.code().equals("u1")
        || !Boolean.FALSE.equals(tuple.get(3))) {
      throw new BadPickleException("has an array that is not of bytes in C order");
    }
    MemorySegment found = bytes(tuple.get(4));
    if (numel(shape.items(), found.byteSize()) != found.byteSize()) {
      throw new BadPickleException("has an array with more bytes than its shape requires");
    }
    bytes = found;
  }

  private static long numel(List<Object> shape, long most) {
    long size = 1;
    for (Object side : shape) {
      // No product overflows: neither factor is above the pickle's length.
      if (!(side instanceof Long length) || length < 0 || length > most || size * length > most) {
        throw new BadPickleException("has an array with fewer bytes than its shape requires");
      }
      size *= length;
    }
    return size;
  }

  /** Python 2 strings are bytes, and short ASCII ones are read as text. */
  private static MemorySegment bytes(Object value) {
    return switch (value) {
      case ByteRange range -> range.memory();
      case String text -> MemorySegment.ofArray(text.getBytes(StandardCharsets.ISO_8859_1));
      default -> throw new BadPickleException("has an array of " + Values.show(value));
    };
  }

  @Override
  public String describe() {
    return "an array of %s bytes".formatted(bytes.byteSize());
  }
}
