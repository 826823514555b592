// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.nativeconfig;

import java.util.Locale;

/** The system and processor, as named in JavaCPP's artifacts. */
final class Platform {
  private Platform() {}

  /** Returns the name of this platform, such as {@code linux-x86_64}. */
  static String name() {
    return name(System.getProperty("os.name", ""), System.getProperty("os.arch", ""));
  }

  static String name(String os, String architecture) {
    String system = os.toLowerCase(Locale.ROOT);
    String shortened =
        system.startsWith("mac")
            ? "macosx"
            : system.startsWith("windows") ? "windows" : system.replace(' ', '-');
    return shortened
        + "-"
        + switch (architecture.toLowerCase(Locale.ROOT)) {
          case "amd64", "x86-64", "x64" -> "x86_64";
          case "aarch64" -> "arm64";
          default -> architecture.toLowerCase(Locale.ROOT);
        };
  }
}
