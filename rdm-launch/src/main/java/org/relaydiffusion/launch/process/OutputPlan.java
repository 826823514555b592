package org.relaydiffusion.launch.process;

import java.nio.file.Path;
import java.util.Optional;
import org.relaydiffusion.OptionException;

/**
 * Where the output of ranks goes: to the launcher's own streams, line by line behind the rank's
 * name, or into files, or both.
 *
 * @param folder of the files; empty for none
 * @param tee streams that go to files and to the launcher's streams
 * @param redirects streams that go to files only
 */
public record OutputPlan(Optional<Path> folder, StreamChoice tee, StreamChoice redirects) {
  /** Everything on the launcher's own streams. */
  public static final OutputPlan CONSOLE =
      new OutputPlan(Optional.empty(), StreamChoice.NONE, StreamChoice.NONE);

  /**
   * Checks that there is a folder for what goes to files; a folder alone means that everything goes
   * there.
   *
   * @throws OptionException when there is none
   */
  public OutputPlan {
    if (tee.isNone() && redirects.isNone()) {
      redirects = folder.isPresent() ? StreamChoice.BOTH : StreamChoice.NONE;
    } else if (folder.isEmpty()) {
      throw new OptionException(
          "--%s writes files: say where with --log_dir"
              .formatted(tee.isNone() ? "redirects" : "tee"));
    }
  }

  /** Whether a stream of a process is written to its file. */
  boolean isFiled(int localRank, int stream) {
    return tee.includes(localRank, stream) || redirects.includes(localRank, stream);
  }

  /** Whether a stream of a process is written to the launcher's own. */
  boolean isShown(int localRank, int stream) {
    return tee.includes(localRank, stream) || !redirects.includes(localRank, stream);
  }

  /** Whether a process has a file at all. */
  boolean hasFile(int localRank) {
    return isFiled(localRank, StreamChoice.OUT) || isFiled(localRank, StreamChoice.ERR);
  }
}
