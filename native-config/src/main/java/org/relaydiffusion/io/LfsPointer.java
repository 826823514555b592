// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.io;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Detects Git LFS pointers, the small text files that represent a file in a Git repository until
 * Git LFS fetches it. Models downloaded from repositories are often such pointers.
 */
public final class LfsPointer {
  private static final int LONGEST = 1024;
  private static final Pattern TEXT =
      Pattern.compile(
          "version https://git-lfs\\.github\\.com/spec/v\\d\\n"
              + "(?:[^\\n]*\\n)*?size (\\d{1,19})\\n?+.*",
          Pattern.DOTALL);

  private LfsPointer() {}

  /**
   * Returns the error message for a file that is a pointer; empty for any other, and for one that
   * cannot be read.
   */
  public static Optional<String> in(Path file) {
    try (InputStream in = InputFile.stream(file)) {
      return in(in.readNBytes(LONGEST));
    } catch (IOException _) {
      return Optional.empty();
    }
  }

  /** Returns the same for the first bytes of a file, of which a kilobyte is sufficient. */
  public static Optional<String> in(byte[] start) {
    int length = Math.min(start.length, LONGEST);
    Matcher text = TEXT.matcher(new String(start, 0, length, StandardCharsets.ISO_8859_1));
    return text.matches()
        ? Optional.of(
            "is a Git LFS pointer to a file of %s bytes: run 'git lfs pull' in its"
                    .formatted(text.group(1))
                + " repository to fetch it")
        : Optional.empty();
  }
}
