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
 * @param results what standard output is for
 */
public record OutputPlan(
    Optional<Path> folder, StreamChoice tee, StreamChoice redirects, Results results) {
  /** Everything on the launcher's own streams. */
  public static final OutputPlan CONSOLE =
      new OutputPlan(Optional.empty(), StreamChoice.NONE, StreamChoice.NONE, Results.OF_ALL_RANKS);

  /** What the launcher's standard output is for. */
  public enum Results {
    /** Every rank's lines, behind its name. */
    OF_ALL_RANKS,
    /**
     * One document for another program to read: what rank 0 of the last attempt has printed, and
     * nothing else.
     */
    OF_RANK_0
  }

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

  /** Whether a rank's standard output is, or would be, the launcher's own. */
  boolean isDocument(int stream) {
    return results == Results.OF_RANK_0 && stream == StreamChoice.OUT;
  }

  /** Whether a process has a file at all. */
  boolean hasFile(int localRank) {
    return isFiled(localRank, StreamChoice.OUT) || isFiled(localRank, StreamChoice.ERR);
  }
}
