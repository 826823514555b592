package org.relaydiffusion.torch.ffi;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.nativeconfig.LibTorch;
import org.relaydiffusion.nativeconfig.NativeLibraryException;

/** Turns names of LibTorch's exported functions into method handles. */
final class Symbols {
  static final LibTorch LIBRARY = LibTorch.load();

  private static final Linker LINKER = Linker.nativeLinker();
  private static final Linker.Option[] MAY_BLOCK = {};
  // Without a thread-state transition: for calls that return in well under a microsecond.
  private static final Linker.Option[] TRIVIAL = {Linker.Option.critical(false)};

  private Symbols() {}

  /** A function that returns an error code. */
  static MethodHandle code(String name, MemoryLayout... arguments) {
    return handle(name, FunctionDescriptor.of(ValueLayout.JAVA_INT, arguments), MAY_BLOCK);
  }

  /** A function that returns an error code, at once. */
  static MethodHandle trivial(String name, MemoryLayout... arguments) {
    return handle(name, FunctionDescriptor.of(ValueLayout.JAVA_INT, arguments), TRIVIAL);
  }

  /** Any function, which must be there. */
  static MethodHandle any(String name, FunctionDescriptor descriptor) {
    return handle(name, descriptor, MAY_BLOCK);
  }

  /** Any function, or null where this build does not have it. */
  static @Nullable MethodHandle optional(String name, FunctionDescriptor descriptor) {
    Optional<MemorySegment> symbol = LIBRARY.find(name);
    return symbol.map(s -> LINKER.downcallHandle(s, descriptor)).orElse(null);
  }

  private static MethodHandle handle(
      String name, FunctionDescriptor descriptor, Linker.Option... options) {
    MemorySegment symbol =
        LIBRARY
            .find(name)
            .orElseThrow(() ->
                new NativeLibraryException(
                    "%s (LibTorch %s) lacks the function %s"
                        .formatted(LIBRARY.path(), LIBRARY.version(), name)));
    return LINKER.downcallHandle(symbol, descriptor, options);
  }
}
