package org.relaydiffusion.nativeconfig;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.ValueLayout;

/** The environment as native libraries see it, which Java's own view does not change. */
public final class NativeEnvironment {
  private NativeEnvironment() {}

  /**
   * Gives a variable a value, unless it has one. Does nothing where the system has no {@code
   * setenv} (Windows).
   */
  public static void setUnlessSet(String name, String value) {
    Linker.nativeLinker()
        .defaultLookup()
        .find("setenv")
        .ifPresent(setenv -> {
          try (Arena arena = Arena.ofConfined()) {
            Downcall.call(
                setenv,
                FunctionDescriptor.of(
                    ValueLayout.JAVA_INT,
                    ValueLayout.ADDRESS,
                    ValueLayout.ADDRESS,
                    ValueLayout.JAVA_INT),
                arena.allocateFrom(name),
                arena.allocateFrom(value),
                0);
          }
        });
  }
}
