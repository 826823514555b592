package org.relaydiffusion.checkpoint.archive;

import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.checkpoint.pickle.Described;
import org.relaydiffusion.io.MappedFile;
import org.relaydiffusion.torch.DType;

/**
 * The memory behind one or more tensors, where it lies in the file. Nothing of it is read before a
 * tensor asks for it. Not safe for use by several threads at once.
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
   * Creates a storage whose place is not known yet.
   *
   * @param name for messages
   * @param numel claimed by the file, in elements
   */
  Storage(CheckpointFile file, String name, DType dtype, long numel) {
    this.file = file;
    this.name = name;
    this.dtype = dtype;
    this.numel = numel;
    if (numel < 0 || numel > file.file().size() / dtype.byteSize()) {
      throw file.bad(
          "%s claims %s elements of %s, but the file has %s bytes"
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

  /** The bytes that the claimed elements take; no more than the file has. */
  long byteSize() {
    return numel * dtype.byteSize();
  }

  boolean isPlaced() {
    return memory != null;
  }

  /**
   * Says where the storage lies.
   *
   * @param where exactly {@link #byteSize} bytes
   * @param checkOnFirstUse throws a FileException when the bytes are not those that were written
   */
  void place(MemorySegment where, Runnable checkOnFirstUse) {
    memory = where;
    check = checkOnFirstUse;
  }

  /** The file that the bytes lie in. */
  MappedFile file() {
    return file.file();
  }

  /** The bytes where they lie: in the file, at any address. */
  MemorySegment raw() {
    return file.file().reading(this::checked);
  }

  private MemorySegment checked() {
    MemorySegment where = memory;
    if (where == null) {
      throw file.bad(name + " is used but not in the file");
    }
    Runnable pending = check;
    if (pending != null) {
      pending.run();
      check = null;
    }
    return where;
  }

  /** The bytes at an address that LibTorch can use: in the file if they lie well, else a copy. */
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
