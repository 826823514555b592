// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.checkpoint.archive;

import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.checkpoint.pickle.Described;
import org.relaydiffusion.io.MappedFile;
import org.relaydiffusion.torch.DType;

/**
 * The storage of one or more tensors in a file. It is not read before a tensor accesses it. Not
 * thread-safe.
 */
final class Storage implements Described {
  private final CheckpointFile file;
  private final String name;
  private final DType dtype;
  private final long numel;
  private @Nullable MemorySegment memory;
  private @Nullable MemorySegment aligned;
  private @Nullable Runnable check;

  /**
   * Creates a storage whose location is not known yet.
   *
   * @param name for messages
   * @param numel number of elements declared by the file
   */
  Storage(CheckpointFile file, String name, DType dtype, long numel) {
    this.file = file;
    this.name = name;
    this.dtype = dtype;
    this.numel = numel;
    if (numel < 0 || numel > file.file().size() / dtype.byteSize()) {
      throw file.bad(
          "%s declares %s elements of %s, but the file has %s bytes"
              .formatted(name, numel, dtype.torchName(), file.file().size()));
    }
  }

  @Override
  public String describe() {
    return "a storage of %s %s".formatted(numel, dtype.torchName());
  }

  DType dtype() {
    return dtype;
  }

  long numel() {
    return numel;
  }

  /** Returns the size of the declared elements in bytes; not larger than the file. */
  long byteSize() {
    return numel * dtype.byteSize();
  }

  boolean isPlaced() {
    return memory != null;
  }

  /**
   * Sets the location of the storage.
   *
   * @param where exactly {@link #byteSize} bytes
   * @param checkOnFirstUse throws a FileException if the checksum is wrong
   */
  void place(MemorySegment where, Runnable checkOnFirstUse) {
    memory = where;
    check = checkOnFirstUse;
  }

  /** Returns the file that contains the data. */
  MappedFile file() {
    return file.file();
  }

  /** Returns the data in the file, possibly unaligned. */
  MemorySegment raw() {
    return file.file().reading(this::checked);
  }

  private MemorySegment checked() {
    MemorySegment where = memory;
    if (where == null) {
      throw file.bad(name + " is missing in the file");
    }
    Runnable pending = check;
    if (pending != null) {
      pending.run();
      check = null;
    }
    return where;
  }

  /** Returns the data at an aligned address: in the file if possible, otherwise a copy. */
  MemorySegment aligned(int alignment) {
    MemorySegment where = raw();
    if (where.byteSize() == 0 || (where.isNative() && where.address() % alignment == 0)) {
      file.file().checkWhole();
      return where;
    }
    MemorySegment copy = aligned;
    if (copy == null) {
      copy = file.file().reading(() -> file.copy(where));
      aligned = copy;
    }
    return copy;
  }
}
