// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.tests.fuzz;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;

/**
 * The results of a target's inputs.
 *
 * @param inputs number of inputs
 * @param refused number of inputs rejected with an RdmException
 * @param worstNanos maximum processor time of an input
 * @param mostAllocated maximum total heap allocation of an input, in bytes
 */
record Totals(long inputs, long refused, long worstNanos, long mostAllocated) {
  /** Nothing read. */
  static final Totals NONE = new Totals(0, 0, 0, 0);

  /** The head of a table. */
  static String head() {
    return "%-19s %12s %10s %9s %12s %8s"
        .formatted("target", "inputs", "refused", "worst ms", "allocated MB", "findings");
  }

  /** A row of it. */
  String row(String name, long findings) {
    return String.format(
        Locale.ROOT,
        "%-19s %12d %10d %9.1f %12.1f %8d",
        name,
        inputs,
        refused,
        worstNanos / 1e6,
        mostAllocated / 1e6,
        findings);
  }

  /** Both together. */
  Totals plus(Totals other) {
    return new Totals(
        inputs + other.inputs,
        refused + other.refused,
        Math.max(worstNanos, other.worstNanos),
        Math.max(mostAllocated, other.mostAllocated));
  }

  /** Leaves them in a file, for the process that waits for this one. */
  void write(Path file) throws IOException {
    Files.writeString(file, "%s %s %s %s".formatted(inputs, refused, worstNanos, mostAllocated));
  }

  /** What {@link #write} left; nothing when the process did not come so far. */
  static Totals read(Path file) throws IOException {
    if (!Files.exists(file)) {
      return NONE;
    }
    long[] n =
        Arrays.stream(Files.readString(file).split(" ")).mapToLong(Long::parseLong).toArray();
    return new Totals(n[0], n[1], n[2], n[3]);
  }
}
