// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.process;

import java.nio.file.Path;
import java.util.Optional;
import org.relaydiffusion.OptionException;

/**
 * The destination of the ranks' output: the launcher's own streams, in lines prefixed with the
 * rank, or files, or both.
 *
 * @param folder of the files; empty for none
 * @param tee streams that go to files and to the launcher's streams
 * @param redirects streams that go to files only
 * @param results the use of standard output
 */
public record OutputPlan(
    Optional<Path> folder, StreamChoice tee, StreamChoice redirects, Results results) {
  /** All output goes to the launcher's own streams. */
  public static final OutputPlan CONSOLE =
      new OutputPlan(Optional.empty(), StreamChoice.NONE, StreamChoice.NONE, Results.OF_ALL_RANKS);

  /** The use of the launcher's standard output. */
  public enum Results {
    /** The lines of all ranks, prefixed with the rank. */
    OF_ALL_RANKS,
    /**
     * One document for another program: the standard output of rank 0 of the last attempt, and
     * nothing else.
     */
    OF_RANK_0
  }

  /**
   * Checks that there is a folder if output goes to files; a folder alone means that all output
   * goes to files.
   *
   * @throws OptionException if there is none
   */
  public OutputPlan {
    if (tee.isNone() && redirects.isNone()) {
      redirects = folder.isPresent() ? StreamChoice.BOTH : StreamChoice.NONE;
    } else if (folder.isEmpty()) {
      throw new OptionException(
          "--%s requires --log_dir".formatted(tee.isNone() ? "redirects" : "tee"));
    }
  }

  /** Returns whether a stream of a process is written to its file. */
  boolean isFiled(int localRank, int stream) {
    return tee.includes(localRank, stream) || redirects.includes(localRank, stream);
  }

  /** Returns whether a stream of a process is written to the launcher's own. */
  boolean isShown(int localRank, int stream) {
    return tee.includes(localRank, stream) || !redirects.includes(localRank, stream);
  }

  /**
   * Returns whether a rank's standard output is forwarded to the launcher's own, if anything is.
   */
  boolean isDocument(int stream) {
    return results == Results.OF_RANK_0 && stream == StreamChoice.OUT;
  }

  /** Returns whether a process has a file. */
  boolean hasFile(int localRank) {
    return isFiled(localRank, StreamChoice.OUT) || isFiled(localRank, StreamChoice.ERR);
  }
}
