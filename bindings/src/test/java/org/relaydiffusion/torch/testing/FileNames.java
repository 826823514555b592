// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.testing;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.charset.Charset;

/** What names files can have where the tests run. */
public final class FileNames {
  private FileNames() {}

  /**
   * Skips a test that makes files with names outside ASCII where Java has no such names: in the
   * locale C or POSIX. The script {@code rdm} gives the product a UTF-8 locale there.
   */
  public static void assumeUnicode() {
    String encoding = System.getProperty("sun.jnu.encoding");
    assumeTrue(
        Charset.forName(encoding).newEncoder().canEncode("\u00e9\uff21\ud83d\ude00"),
        "file names outside ASCII need a UTF-8 locale, but the locale's encoding is " + encoding);
  }
}
