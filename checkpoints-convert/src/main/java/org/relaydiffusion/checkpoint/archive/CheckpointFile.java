// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.checkpoint.archive;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import org.relaydiffusion.FileException;
import org.relaydiffusion.Printable;
import org.relaydiffusion.checkpoint.pickle.GlobalName;
import org.relaydiffusion.checkpoint.pickle.PickleBudget;
import org.relaydiffusion.checkpoint.pickle.PickleInput;
import org.relaydiffusion.checkpoint.pickle.PickleReader.Globals;
import org.relaydiffusion.io.LfsPointer;
import org.relaydiffusion.io.MappedFile;

/**
 * A mapped file that contains a pickle in one of three containers, distinguished by content.
 *
 * @param file the file; the caller closes it
 * @param arena owns copies of data that cannot be used in place; the caller closes it
 * @param budget shared by the pickles of the file
 */
public record CheckpointFile(MappedFile file, Arena arena, PickleBudget budget) {
  private static final int ZIP_MAGIC = 0x04034b50;
  private static final int EMPTY_ZIP_MAGIC = 0x06054b50;
  private static final long LONGEST_SAFETENSORS_HEADER = 1L << 40;

  /** Creates an object with a new budget. */
  public CheckpointFile(MappedFile file, Arena arena) {
    this(file, arena, new PickleBudget(arena, file.size()));
  }

  /** The container of a file. */
  public enum Container {
    /** A JSON header followed by tensors. */
    SAFETENSORS,
    /** Written by current versions of {@code torch.save}. */
    TORCH_ZIP,
    /** Written by {@code torch.save} before PyTorch 1.6. */
    TORCH_LEGACY,
    /** A bare pickle. */
    PICKLE
  }

  /** The allowed classes. */
  public enum Classes {
    /** Those of official checkpoints. */
    OFFICIAL,
    /**
     * In addition, PyTorch's own layers and, in a TorchScript archive, those of its program, which
     * is not read otherwise. Their objects are read as their attributes.
     */
    MODULES
  }

  /** Returns the path of the file. */
  public Path path() {
    return file.path();
  }

  /**
   * Determines the container from the first bytes.
   *
   * @throws FileException if they match no known container
   */
  public static Container detect(MappedFile file) {
    return file.reading(() -> container(file));
  }

  private static Container container(MappedFile file) {
    long size = file.size();
    if (size == 0) {
      throw new FileException(file.path(), "is empty, expected a checkpoint");
    }
    if (size >= 9 && file.u8(8, "byte 8") == '{') {
      long length = file.i64(0, "the first 8 bytes");
      if (length >= 0 && length < LONGEST_SAFETENSORS_HEADER) {
        return Container.SAFETENSORS;
      }
    }
    if (size >= 4) {
      int magic = (int) file.u32(0, "the first 4 bytes");
      if (magic == ZIP_MAGIC || magic == EMPTY_ZIP_MAGIC) {
        return Container.TORCH_ZIP;
      }
    }
    if (LegacyStream.looksLike(file.path(), file.slice(0, size, "the file"))) {
      return Container.TORCH_LEGACY;
    }
    int first = file.u8(0, "the first byte");
    // Protocols 2 and up begin with PROTO; 0 and 1 with a container, a mark or a global.
    if (first == 0x80 || "(}])lcdt".indexOf(first) >= 0) {
      return Container.PICKLE;
    }
    LfsPointer.in(file.bytes(0, (int) Math.min(1024, size), "the start"))
        .ifPresent(pointer -> {
          throw new FileException(file.path(), pointer);
        });
    byte[] start = file.bytes(0, (int) Math.min(16, size), "the start");
    throw new FileException(
        file.path(),
        "begins with '%s': neither safetensors, a zip, nor a pickle"
            .formatted(Printable.of(new String(start, StandardCharsets.ISO_8859_1))));
  }

  /**
   * Reads the pickle of a container other than safetensors, without its storages.
   *
   * @return the value, see {@link org.relaydiffusion.checkpoint.pickle}; tensors are {@link
   *     TensorRef}
   * @throws FileException if the file is damaged or contains anything not allowed
   */
  public Object read(Container container) {
    return read(container, Classes.OFFICIAL);
  }

  /**
   * Reads as {@link #read(Container)}, with the given classes.
   *
   * @param classes objects of {@link Classes#MODULES} are {@link
   *     org.relaydiffusion.checkpoint.pickle.Instance}
   */
  public Object read(Container container, Classes classes) {
    return file.reading(() -> value(container, classes));
  }

  private Object value(Container container, Classes classes) {
    MemorySegment all = file.slice(0, file.size(), "the file");
    return switch (container) {
      case SAFETENSORS -> throw new IllegalArgumentException("a safetensors file has no pickle");
      case TORCH_ZIP -> TorchZip.read(this, classes);
      case TORCH_LEGACY -> LegacyStream.read(this, all, "the stream", globals(classes));
      case PICKLE -> BarePickle.read(this, new PickleInput(all), globals(classes));
    };
  }

  /** Returns the names that are allowed outside a TorchScript archive. */
  Globals globals(Classes classes) {
    Map<GlobalName, Object> known = new TorchGlobals(this).table();
    return switch (classes) {
      case OFFICIAL -> new InertGlobals(known);
      case MODULES -> ModuleGlobals.ofPickle(known);
    };
  }

  /** Returns whether a class is defined by a TorchScript archive. */
  public static boolean isProgram(GlobalName type) {
    return ModuleGlobals.isProgram(type);
  }

  /** Returns a copy in native memory, aligned for any dtype. */
  MemorySegment copy(MemorySegment memory) {
    return arena.allocate(memory.byteSize(), 64).copyFrom(memory).asReadOnly();
  }

  FileException bad(String what) {
    return new FileException(path(), what);
  }

  static String ascii(MemorySegment bytes) {
    return new String(bytes.toArray(ValueLayout.JAVA_BYTE), StandardCharsets.ISO_8859_1);
  }
}
