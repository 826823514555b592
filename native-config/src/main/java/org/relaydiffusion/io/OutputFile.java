// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.io;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.function.Predicate;
import org.relaydiffusion.FileException;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.Printable;

/**
 * Prevents a command from overwriting files unintentionally: its own input, under any name or link,
 * and existing files. Called before any work is done.
 */
public final class OutputFile {
  private OutputFile() {}

  /**
   * Rejects a target that would overwrite an input.
   *
   * @param target the file or folder to write; may be missing
   * @param input a file or folder that is read; may be missing, which is reported when it is read
   * @throws OptionException if both are the same: the same path, or links to the same file
   */
  public static void refuseInput(Path target, Path input) {
    try {
      if (Files.exists(target) && Files.isSameFile(input, target)) {
        throw new OptionException(
            "%s would be overwritten by itself".formatted(Printable.of(input))
                + (input.equals(target)
                    ? ""
                    : ": %s is the same file".formatted(Printable.of(target))));
      }
    } catch (IOException _) {
      // The input is missing or unreadable; opening it will report the error.
    }
  }

  /**
   * Rejects an existing target.
   *
   * @param overwrite whether the user has allowed it; a folder is never replaced by a file
   * @throws FileException if it exists
   */
  public static void refuseExisting(Path target, boolean overwrite) {
    // Including a broken link, which writing would replace.
    if (!overwrite && Files.exists(target, LinkOption.NOFOLLOW_LINKS)) {
      throw new FileException(
          target, "already exists: choose another name, or use --overwrite to replace it");
    }
  }

  /**
   * Rejects an existing target of another kind than the file to be written, as after a typing
   * error.
   *
   * @param kind of the file to be written, such as "activation file"
   * @param isOne returns whether a nonempty regular file is of that kind
   * @throws FileException if the target is of another kind
   */
  public static void refuseOthers(Path target, String kind, Predicate<Path> isOne) {
    try {
      if (Files.exists(target)
          && (!Files.isRegularFile(target) || (Files.size(target) > 0 && !isOne.test(target)))) {
        throw new FileException(
            target,
            "already exists and is not a valid %s, so it is not replaced: choose another name"
                .formatted(kind));
      }
    } catch (IOException e) {
      throw new FileException(target, "cannot be read: " + AtomicFile.reason(e), e);
    }
  }
}
