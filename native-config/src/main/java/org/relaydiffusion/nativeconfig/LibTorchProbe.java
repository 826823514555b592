// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.nativeconfig;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Optional;
import java.util.OptionalInt;

/** Asks a loaded LibTorch about itself. */
final class LibTorchProbe {
  private static final FunctionDescriptor TEXT = FunctionDescriptor.of(ValueLayout.ADDRESS);
  private static final FunctionDescriptor NUMBER = FunctionDescriptor.of(ValueLayout.JAVA_INT);
  private static final FunctionDescriptor YES_NO = FunctionDescriptor.of(ValueLayout.JAVA_BOOLEAN);
  private static final int LONGEST_TEXT = 4096;

  private LibTorchProbe() {}

  static DoctorReport.Loaded examine(LibTorch library) {
    return new DoctorReport.Loaded(
        library.version(),
        library.path(),
        library.source().origin(),
        library.files(),
        blas(library),
        NativeThreads.threads(library),
        ThreadWaiting.examine(library.settings()),
        CppString.call(library, "_ZN2at18get_cpu_capabilityB5cxx11Ev"),
        Optional.ofNullable(System.getenv("ATEN_CPU_CAPABILITY")),
        library.hasCuda());
  }

  private static DoctorReport.Blas blas(LibTorch library) {
    Optional<String> openBlas =
        library
            .find("openblas_get_config")
            .map(f -> (MemorySegment) Downcall.call(f, TEXT))
            .filter(text -> !text.equals(MemorySegment.NULL))
            .map(text -> text.reinterpret(LONGEST_TEXT).getString(0).strip());
    OptionalInt openBlasThreads =
        library
            .find("openblas_get_num_threads")
            .map(f -> OptionalInt.of((int) Downcall.call(f, NUMBER)))
            .orElse(OptionalInt.empty());
    return new DoctorReport.Blas(
        openBlas,
        openBlasThreads,
        version(library, "_ZN2at7Context6hasMKLEv", "_ZN2at15get_mkl_versionB5cxx11Ev"),
        version(library, "_ZN2at7Context9hasMKLDNNEv", "_ZN2at18get_mkldnn_versionB5cxx11Ev"),
        LoadedLibraries.blas());
  }

  private static Optional<String> version(LibTorch library, String has, String version) {
    boolean there = library.find(has).map(f -> (boolean) Downcall.call(f, YES_NO)).orElse(false);
    return there ? CppString.call(library, version) : Optional.empty();
  }
}
