// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.nativeconfig;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.ValueLayout;

/** The environment as seen by native libraries, which is independent of Java's view. */
public final class NativeEnvironment {
  private NativeEnvironment() {}

  /**
   * Sets a variable unless it is set. Has no effect on systems without {@code setenv} (Windows).
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
