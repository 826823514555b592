package org.relaydiffusion.tests.fuzz;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;

/**
 * What Jazzer calls: the reader that {@code -Drdm.fuzz.target} names, under its {@link Contract}.
 * Leaves its totals in the file that {@code -Drdm.fuzz.totals} names.
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
   * One input.
   *
   * @throws Contract.Finding which Jazzer reports and keeps the input of
   */
  public static void fuzzerTestOneInput(byte[] input) {
    try {
      CONTRACT.check(input);
    } finally {
      // At each moment, as the process may be ended at any.
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
