package org.relaydiffusion.nativeconfig;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * LibTorch's own log on the standard error stream. A C function that fails writes its message there
 * with a C++ stack trace before it returns its code; here the code becomes an exception, so the log
 * is set to fatal errors only. {@code TORCH_CPP_LOG_LEVEL} is the user's word and stands.
 */
final class NativeLog {
  private static final String LEVEL_VARIABLE = "TORCH_CPP_LOG_LEVEL";
  private static final int FATAL = 3;

  private NativeLog() {}

  static void tune(LibTorch library) {
    if (System.getenv(LEVEL_VARIABLE) != null) {
      // Python's torch reads the variable when it is imported; nobody else does.
      library
          .find("_ZN3c1011initLoggingEv")
          .ifPresent(f -> Downcall.run(f, FunctionDescriptor.ofVoid()));
      return;
    }
    library.find("FLAGS_caffe2_log_level").ifPresent(NativeLog::raise);
    // Builds from 2.14 on ask this switch instead.
    library
        .find("torch_exception_set_exception_printing")
        .ifPresent(
            f -> Downcall.run(f, FunctionDescriptor.ofVoid(ValueLayout.JAVA_BOOLEAN), false));
  }

  private static void raise(MemorySegment level) {
    level.reinterpret(ValueLayout.JAVA_INT.byteSize()).set(ValueLayout.JAVA_INT, 0, FATAL);
  }
}
