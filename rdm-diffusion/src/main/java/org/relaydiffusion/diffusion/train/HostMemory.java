// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.train;

import java.io.IOException;
import java.nio.file.Path;
import org.relaydiffusion.io.InputFile;

/** The memory of this process, including tensors. */
final class HostMemory {
  private static final Path STATUS = Path.of("/proc/self/status");
  private static final String RESIDENT = "VmRSS:";

  private HostMemory() {}

  /**
   * Returns the resident bytes or, if the system does not provide them, the size of the Java heap.
   */
  static long resident() {
    try {
      for (String line : InputFile.lines(STATUS)) {
        if (line.startsWith(RESIDENT)) {
          return Long.parseLong(line.replaceAll("\\D", "")) * 1024;
        }
      }
    } catch (IOException | NumberFormatException _) {
      // Not Linux.
    }
    Runtime java = Runtime.getRuntime();
    return java.totalMemory() - java.freeMemory();
  }
}
