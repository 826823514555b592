// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.nativeconfig;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Loads LibTorch with the settings named by the argument ({@code -}: none are chosen), prints what
 * that has changed in the process, and then asks for all others.
 */
final class SettingsMain {
  private SettingsMain() {}

  public static void main(String[] arguments) {
    LibTorch library =
        switch (arguments[0]) {
          case "-" -> LibTorch.load();
          case "NONE" -> LibTorch.load(Settings.NONE);
          case "DEFAULT" -> LibTorch.load(Settings.DEFAULT);
          default -> LibTorch.load(Settings.APPLICATION);
        };
    System.out.println(
        "spin=%s huge=%s level=%s blas=%s cores=%s"
            .formatted(
                variable("GOMP_SPINCOUNT"),
                variable("THP_MEM_ALLOC_ENABLE"),
                library
                    .function("FLAGS_caffe2_log_level")
                    .reinterpret(4)
                    .get(ValueLayout.JAVA_INT, 0),
                Downcall.call(
                    library.function("openblas_get_num_threads"),
                    FunctionDescriptor.of(ValueLayout.JAVA_INT)),
                NativeThreads.threads()));
    // The same once more is no other choice.
    LibTorch.load(library.settings());
    for (Settings other : new Settings[] {Settings.NONE, Settings.DEFAULT, Settings.APPLICATION}) {
      try {
        LibTorch.load(other);
        System.out.println("loaded " + other);
      } catch (NativeLibraryException e) {
        System.out.println("refused " + e.getMessage());
      }
    }
  }

  private static String variable(String name) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment value =
          (MemorySegment)
              Downcall.call(
                  Linker.nativeLinker().defaultLookup().find("getenv").orElseThrow(),
                  FunctionDescriptor.of(ValueLayout.ADDRESS, ValueLayout.ADDRESS),
                  arena.allocateFrom(name));
      return value.equals(MemorySegment.NULL) ? "-" : value.reinterpret(64).getString(0);
    }
  }
}
