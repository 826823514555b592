// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.nativeconfig;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** Opens one exact file for the life of the process, and says in the loader's own words why not. */
final class DynamicLoader {
  private static final int RTLD_NOW_AND_GLOBAL = 0x2 | 0x100;
  private static final int MAC_RTLD_NOW_AND_GLOBAL = 0x2 | 0x8;
  private static final int LONGEST_REASON = 1 << 16;

  private DynamicLoader() {}

  static SymbolLookup open(Path file) {
    if (!Files.isRegularFile(file)) {
      throw new NativeLibraryException(file + ": no such library");
    }
    Linker linker = Linker.nativeLinker();
    Optional<MemorySegment> dlopen = linker.defaultLookup().find("dlopen");
    if (dlopen.isEmpty()) { // Windows
      return viaJava(file);
    }
    ElfFile.check(file);
    // Global, because JavaCPP's JNI libraries look the same symbols up in the process.
    boolean mac = System.getProperty("os.name", "").startsWith("Mac");
    try (Arena arena = Arena.ofConfined()) {
      // Before the library is opened: to look this function up would clear the error that it tells.
      Optional<MethodHandle> lastError =
          linker
              .defaultLookup()
              .find("dlerror")
              .map(f -> linker.downcallHandle(f, FunctionDescriptor.of(ValueLayout.ADDRESS)));
      MethodHandle open =
          linker.downcallHandle(
              dlopen.get(),
              FunctionDescriptor.of(
                  ValueLayout.ADDRESS, ValueLayout.ADDRESS, ValueLayout.JAVA_INT));
      MemorySegment handle =
          (MemorySegment)
              open.invokeExact(
                  arena.allocateFrom(file.toString()),
                  mac ? MAC_RTLD_NOW_AND_GLOBAL : RTLD_NOW_AND_GLOBAL);
      if (handle.equals(MemorySegment.NULL)) {
        throw new NativeLibraryException(file + " cannot be loaded: " + text(lastError));
      }
    } catch (NativeLibraryException | IllegalCallerException e) {
      throw e;
    } catch (Throwable e) {
      throw new NativeLibraryException(file + " cannot be loaded: " + e, e);
    }
    return viaJava(file);
  }

  private static SymbolLookup viaJava(Path file) {
    try {
      return SymbolLookup.libraryLookup(file, Arena.global());
    } catch (IllegalArgumentException e) {
      throw new NativeLibraryException(file + " cannot be loaded: " + e.getMessage(), e);
    }
  }

  private static String text(Optional<MethodHandle> lastError) throws Throwable {
    MemorySegment text =
        lastError.isEmpty() ? MemorySegment.NULL : (MemorySegment) lastError.get().invokeExact();
    return text.equals(MemorySegment.NULL)
        ? "no reason given"
        : text.reinterpret(LONGEST_REASON)
            .getString(0)
            .lines()
            .findFirst()
            .orElse("no reason given");
  }
}
