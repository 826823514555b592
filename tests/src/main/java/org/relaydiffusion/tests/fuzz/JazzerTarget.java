// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.tests.fuzz;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;

/**
 * The entry point of Jazzer: the reader selected by {@code -Drdm.fuzz.target}, under its {@link
 * Contract}. Writes its totals to the file given by {@code -Drdm.fuzz.totals}.
 */
public final class JazzerTarget {
  /** The name of a {@link Target}. */
  static final String TARGET = "rdm.fuzz.target";

  /** Where the totals go. */
  static final String TOTALS = "rdm.fuzz.totals";

  private static final Contract CONTRACT = new Contract(Target.of(System.getProperty(TARGET, "")));
  private static final Path FILE = Path.of(System.getProperty(TOTALS, "totals.txt"));
  private static final long EVERY_NANOS = 250_000_000L;

  private static long written = System.nanoTime();

  private JazzerTarget() {}

  /**
   * Reads one input.
   *
   * @throws Contract.Finding which Jazzer reports together with the input
   */
  public static void fuzzerTestOneInput(byte[] input) {
    try {
      CONTRACT.check(input);
    } finally {
      // After each input, because the process may be ended at any time.
      if (System.nanoTime() - written > EVERY_NANOS) {
        write();
      }
    }
  }

  /** The end of the run. */
  public static void fuzzerTearDown() {
    write();
  }

  private static void write() {
    try {
      CONTRACT.totals().write(FILE);
      written = System.nanoTime();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
