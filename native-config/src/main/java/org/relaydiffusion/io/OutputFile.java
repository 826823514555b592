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
 * Keeps a command from writing over what the user did not mean it to: its own input, under whatever
 * name or link, and files that are there already. To be asked before any work is done.
 */
public final class OutputFile {
  private OutputFile() {}

  /**
   * Refuses to write over an input.
   *
   * @param target the file or folder to write; may be missing
   * @param input a file or folder that is read; may be missing, which reading it will say
   * @throws OptionException when both are one: the same path, or links of either kind to one file
   */
  public static void refuseInput(Path target, Path input) {
    try {
      if (Files.exists(target) && Files.isSameFile(input, target)) {
        throw new OptionException(
            "%s would be written over itself".formatted(Printable.of(input))
                + (input.equals(target)
                    ? ""
                    : ": %s is the same file".formatted(Printable.of(target))));
      }
    } catch (IOException _) {
      // The input is missing or unreadable; opening it says so.
    }
  }

  /**
   * Refuses to replace a file, or whatever else has its name.
   *
   * @param overwrite whether the user has asked for it; a folder is never replaced by a file
   * @throws FileException when there is something
   */
  public static void refuseExisting(Path target, boolean overwrite) {
    // A broken link is something too: writing would replace it.
    if (!overwrite && Files.exists(target, LinkOption.NOFOLLOW_LINKS)) {
      throw new FileException(
          target, "is there already: give another name, or --overwrite to replace it");
    }
  }

  /**
   * Refuses to replace a file of another kind than what will be written: a name that was mistyped.
   *
   * @param kind what will be written, such as "activation file"
   * @param isOne tells whether a regular file with something in it is of that kind
   * @throws FileException when there is something else
   */
  public static void refuseOthers(Path target, String kind, Predicate<Path> isOne) {
    try {
      if (Files.exists(target)
          && (!Files.isRegularFile(target) || (Files.size(target) > 0 && !isOne.test(target)))) {
        throw new FileException(
            target,
            "is there already and is no %s, so it is not replaced: give another name"
                .formatted(kind));
      }
    } catch (IOException e) {
      throw new FileException(target, "cannot be read: " + AtomicFile.reason(e), e);
    }
  }
}
