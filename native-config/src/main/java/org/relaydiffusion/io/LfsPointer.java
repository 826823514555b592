package org.relaydiffusion.io;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The small text that stands for a file in a Git repository until Git LFS fetches the file itself.
 * Models that are handed out in repositories are often saved as such.
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
   * What to say of a file that is such a text; empty for any other, and for one that cannot be
   * read.
   */
  public static Optional<String> in(Path file) {
    try (InputStream in = InputFile.stream(file)) {
      return in(in.readNBytes(LONGEST));
    } catch (IOException _) {
      return Optional.empty();
    }
  }

  /** The same of a file's first bytes, of which a kilobyte is enough. */
  public static Optional<String> in(byte[] start) {
    int length = Math.min(start.length, LONGEST);
    Matcher text = TEXT.matcher(new String(start, 0, length, StandardCharsets.ISO_8859_1));
    return text.matches()
        ? Optional.of(
            "is a Git LFS pointer, which stands for a file of %s bytes: 'git lfs pull' in its"
                    .formatted(text.group(1))
                + " repository fetches the file itself")
        : Optional.empty();
  }
}
