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
        throw new NativeLibraryException(file + " cannot be loaded: " + lastError(linker));
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

  private static String lastError(Linker linker) throws Throwable {
    Optional<MemorySegment> dlerror = linker.defaultLookup().find("dlerror");
    if (dlerror.isEmpty()) {
      return "no reason given";
    }
    MemorySegment text =
        (MemorySegment)
            linker
                .downcallHandle(dlerror.get(), FunctionDescriptor.of(ValueLayout.ADDRESS))
                .invokeExact();
    return text.equals(MemorySegment.NULL)
        ? "no reason given"
        : text.reinterpret(4096).getString(0).lines().findFirst().orElse("no reason given");
  }
}
