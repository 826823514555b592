// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.tests.bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** What the kernel says of this process's memory, in bytes. Linux only. */
public final class ProcessMemory {
  private ProcessMemory() {}

  /** The resident set now, mapped file pages included. */
  public static long resident() {
    return status("VmRSS:");
  }

  /** The largest resident set so far. */
  public static long peak() {
    return status("VmHWM:");
  }

  /** Makes the resident set as it is now the largest so far. */
  public static void resetPeak() {
    try {
      Files.writeString(Path.of("/proc/self/clear_refs"), "5");
    } catch (IOException e) {
      throw new UncheckedIOException("the peak of memory cannot be reset", e);
    }
  }

  /** The resident part of this process's mappings of one file. */
  public static long residentOf(Path file) {
    String name = file.toAbsolutePath().toString();
    long bytes = 0;
    boolean inside = false;
    for (String line : lines("/proc/self/smaps")) {
      String first = line.substring(0, line.indexOf(' ') < 0 ? line.length() : line.indexOf(' '));
      if (!first.endsWith(":")) {
        inside = line.endsWith(name);
      } else if (inside && first.equals("Rss:")) {
        bytes += kilobytes(line);
      }
    }
    return bytes;
  }

  private static long status(String field) {
    return lines("/proc/self/status").stream()
        .filter(l -> l.startsWith(field))
        .mapToLong(ProcessMemory::kilobytes)
        .findFirst()
        .orElseThrow(() -> new IllegalStateException("/proc/self/status has no " + field));
  }

  private static long kilobytes(String line) {
    return 1024 * Long.parseLong(line.replaceAll("\\D+", ""));
  }

  private static List<String> lines(String file) {
    try {
      return new ArrayList<>(Files.readAllLines(Path.of(file)));
    } catch (IOException e) {
      throw new UncheckedIOException("memory is measured through /proc: run this on Linux", e);
    }
  }
}
