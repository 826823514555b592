// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.nativeconfig;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * LibTorch's own log on the standard error stream. A C function that fails writes its reason there
 * with a C++ stack trace before it returns its code; here the code becomes an exception with that
 * reason, and nothing is printed. {@code TORCH_CPP_LOG_LEVEL} is the user's word and stands.
 */
final class NativeLog {
  static final int FATAL = 3;
  private static final int ERROR = 2;
  private static final String LEVEL_VARIABLE = "TORCH_CPP_LOG_LEVEL";

  private NativeLog() {}

  /** Sets the log up as the settings say; the result tells the reasons of failed calls. */
  static ErrorText tune(SymbolLookup symbols, Settings settings) {
    Optional<ErrorText> told = symbols.find("torch_exception_get_what").map(f -> new ToldText(f));
    if (!settings.has(Settings.Change.CAPTURE_ERRORS)) {
      return told.orElse(() -> null);
    }
    if (System.getenv(LEVEL_VARIABLE) != null) {
      // Python's torch reads the variable when it is imported; nobody else does.
      symbols
          .find("_ZN3c1011initLoggingEv")
          .ifPresent(f -> Downcall.run(f, FunctionDescriptor.ofVoid()));
      return told.or(() -> ErrorStream.install(symbols, ErrorStream.Log.PRINTED))
          .orElse(() -> null);
    }
    StackTraces.leaveOut(symbols);
    // Builds that tell the reason ask this switch before they print it.
    symbols
        .find("torch_exception_set_exception_printing")
        .ifPresent(
            f -> Downcall.run(f, FunctionDescriptor.ofVoid(ValueLayout.JAVA_BOOLEAN), false));
    Optional<ErrorText> read =
        told.isPresent() ? Optional.empty() : ErrorStream.install(symbols, ErrorStream.Log.SILENT);
    setLevel(symbols, read.isPresent() ? ERROR : FATAL);
    return told.or(() -> read).orElse(() -> null);
  }

  /** Nothing below {@code level} is written. */
  static void setLevel(SymbolLookup symbols, int level) {
    symbols
        .find("FLAGS_caffe2_log_level")
        .ifPresent(flag ->
            flag.reinterpret(ValueLayout.JAVA_INT.byteSize()).set(ValueLayout.JAVA_INT, 0, level));
  }

  /** Of a build that keeps the text of each thread's last error. */
  private static final class ToldText implements ErrorText {
    private static final long LONGEST = 1 << 20;

    private final MethodHandle function;

    ToldText(MemorySegment function) {
      this.function =
          Linker.nativeLinker()
              .downcallHandle(function, FunctionDescriptor.of(ValueLayout.ADDRESS));
    }

    @Override
    public @Nullable String last() {
      try {
        MemorySegment text = (MemorySegment) function.invokeExact();
        return text.equals(MemorySegment.NULL)
            ? null
            : ErrorText.reason(text.reinterpret(LONGEST).getString(0)).orElse(null);
      } catch (Throwable e) {
        throw new NativeLibraryException("torch_exception_get_what failed: " + e, e);
      }
    }
  }
}
