// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.process;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import org.relaydiffusion.Printable;

/** Distributes the lines of one rank, for each stream. */
final class RankOutput implements AutoCloseable {
  /** How many lines are shown when a rank fails. */
  private static final int LAST_LINES = 20;

  /** A document is not split: it may be a single line. */
  private static final int LONGEST_DOCUMENT = 1 << 29;

  private final int rank;
  private final Screen screen;
  private final Optional<RankLog> log;
  private final LastLines lastErrors = new LastLines(LAST_LINES);
  private final List<String> document = Collections.synchronizedList(new ArrayList<>());
  private final int longestLine;
  private final LineSplitter.Listener out;
  private final LineSplitter.Listener err;

  private RankOutput(
      int rank, int localRank, Screen screen, OutputPlan plan, Optional<RankLog> log) {
    this.rank = rank;
    this.screen = screen;
    this.log = log;
    this.longestLine =
        plan.isDocument(StreamChoice.OUT) ? LONGEST_DOCUMENT : LineSplitter.LONGEST_LINE;
    this.out = new Stream(StreamChoice.OUT, localRank, plan);
    this.err = new Stream(StreamChoice.ERR, localRank, plan);
  }

  /**
   * Opens the rank's file, if it has one.
   *
   * @param nodes the ranks of this node
   * @param localRank the process of this node
   * @param attempt from 0
   * @param plan the destinations
   * @param screen the launcher's own streams
   */
  static RankOutput open(Nodes nodes, int localRank, int attempt, OutputPlan plan, Screen screen) {
    int rank = nodes.rank(localRank);
    Optional<RankLog> log =
        plan.hasFile(localRank)
            ? plan.folder().map(folder -> RankLog.open(folder, attempt, rank, screen))
            : Optional.empty();
    return new RankOutput(rank, localRank, screen, plan, log);
  }

  /** Writes a header to the file. */
  void begin(long pid) {
    log.ifPresent(file -> file.begin("rank %s, process %s".formatted(rank, pid)));
  }

  LineSplitter.Listener out() {
    return out;
  }

  /** Returns the length at which a line of standard output is split. */
  int longestLine() {
    return longestLine;
  }

  LineSplitter.Listener err() {
    return err;
  }

  /** Returns the last lines of standard error, oldest first. */
  List<String> lastErrors() {
    return lastErrors.lines();
  }

  /** Called at the end of standard output. */
  void drained() {
    if (rank == 0 && !document.isEmpty()) {
      screen.result(document);
    }
  }

  @Override
  public void close() {
    log.ifPresent(RankLog::close);
  }

  /** One of the two streams. */
  private final class Stream implements LineSplitter.Listener {
    private final boolean isError;
    private final boolean shown;
    private final boolean filed;
    private final boolean isDocument;

    Stream(int stream, int localRank, OutputPlan plan) {
      this.isError = stream == StreamChoice.ERR;
      this.shown = plan.isShown(localRank, stream);
      this.filed = plan.isFiled(localRank, stream);
      this.isDocument = plan.isDocument(stream);
    }

    @Override
    public void line(String raw) {
      // A rank sanitizes its own output, but the JVM and LibTorch also write to its streams. Tabs
      // are those of a stack trace.
      String text = Printable.of(raw.replace("\t", "    "), 2 * LineSplitter.LONGEST_LINE);
      if (isError) {
        lastErrors.add(text);
      }
      if (filed) {
        log.ifPresent(file -> file.line(text));
      }
      if (isDocument) {
        if (shown && rank == 0) {
          document.add(raw);
        }
      } else if (shown && isError) {
        screen.fromRank(prefixed(text));
      } else if (shown) {
        screen.out(prefixed(text));
      }
    }

    @Override
    public void status(String text) {
      // Only rank 0 is told that it has a terminal; no other may overwrite its status line.
      if (shown && rank == 0) {
        screen.status(text.isEmpty() ? "" : prefixed(text));
      }
    }

    private String prefixed(String text) {
      return "[rank %s] %s".formatted(rank, text);
    }
  }
}
