// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.process;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.launch.command.ExitCode;

/**
 * Runs the ranks of this node once, from start to end. All methods run on one thread, which waits
 * for {@link Event}s.
 *
 * <p>When a rank fails, on this node or another, or a launcher is lost, the other ranks are asked
 * to stop and killed {@link #GRACE} later. When a stop is requested, they are asked to stop and are
 * killed when the stop timeout of the plan expires, or on a second request.
 */
final class Attempt {
  /** The time from the failure of a rank to the SIGKILL of the others; less than 10 s in total. */
  private static final Duration GRACE = Duration.ofSeconds(7);

  /**
   * A Ctrl-C may reach a rank before it reaches the launcher: a rank ended by a signal is a failure
   * only if the launcher receives no signal within this time. Likewise, a rank that has lost
   * another one is the first failure only if no other becomes known within this time.
   */
  private static final Duration DOUBT = Duration.ofSeconds(1);

  /** How long to wait for other nodes before reporting it. */
  private static final Duration QUIET_WAIT = Duration.ofSeconds(5);

  /**
   * A process that does not end on SIGKILL is stuck in the kernel, and is abandoned after this
   * time.
   */
  private static final Duration LAST_WAIT = Duration.ofSeconds(5);

  /** The outcome of an attempt. */
  sealed interface Outcome {
    /** Every rank exited with 0. */
    record Done() implements Outcome {}

    /** A stop was requested, and every rank of this node exited with 0: it has saved. */
    record Saved() implements Outcome {}

    /**
     * A stop was requested, and a rank was ended by a signal.
     *
     * @param exitCode the exit code of the launcher
     */
    record Stopped(int exitCode) implements Outcome {}

    /** A rank failed, on this node or another. */
    record Failed(Failure failure) implements Outcome {}
  }

  private final int number;
  private final LaunchPlan plan;
  private final Screen screen;
  private final OtherNodes others;
  private final BlockingQueue<Event> events;
  private final List<Worker> running = new ArrayList<>();

  /** Ranks whose last output is still being read, with the message to print afterwards. */
  private final Map<Worker, Runnable> draining = new HashMap<>();

  private Event.@Nullable Ended doubtful;
  private Event.@Nullable Stop stop;
  private @Nullable Failure failure;
  private boolean allEndedWell = true;
  private boolean killed;
  private boolean givenUp;

  /** Whether this node has reported to the others that it has no rank left. */
  private boolean toldEnd;

  private int endedNodes;

  /** Whether other nodes cannot be reached, or are no longer waited for. */
  private boolean lonely;

  /** The deadline for acting if no event arrives, in {@link System#nanoTime()}. */
  private @Nullable Long deadline;

  Attempt(
      int number, LaunchPlan plan, Screen screen, OtherNodes others, BlockingQueue<Event> events) {
    this.number = number;
    this.plan = plan;
    this.screen = screen;
    this.others = others;
    this.events = events;
  }

  /** Registers a started rank; its end will be one of the events. */
  void add(Worker worker) {
    running.add(worker);
  }

  /** Ends the ranks that were started if not all of them could be. */
  void abandon() {
    running.forEach(Worker::kill);
  }

  /** Waits until no rank of this attempt is left, on this node or others. */
  Outcome await() throws InterruptedException {
    while (!isOver()) {
      Event event = next();
      if (event == null) {
        deadline = null;
        deadlineHasPassed();
      } else {
        handle(event);
      }
      if (isOverHere() && !toldEnd) {
        toldEnd = true;
        others.ended(number);
        within(QUIET_WAIT);
      }
    }
    return outcome();
  }

  private boolean isOverHere() {
    return givenUp || (running.isEmpty() && draining.isEmpty() && doubtful == null);
  }

  /** After a stop request, other nodes are not waited for: they are asked to stop too. */
  private boolean isOver() {
    return isOverHere() && (lonely || stop != null || plan.nodes().isAlone() || allNodesEnded());
  }

  private boolean allNodesEnded() {
    return endedNodes >= plan.nodes().count();
  }

  private Outcome outcome() {
    if (failure != null) {
      return new Outcome.Failed(stop == null && !givenUp ? failure : failure.asFinal());
    }
    if (stop != null) {
      return allEndedWell ? new Outcome.Saved() : new Outcome.Stopped(stop.exitCode());
    }
    return new Outcome.Done();
  }

  private @Nullable Event next() throws InterruptedException {
    return deadline == null
        ? events.take()
        : events.poll(deadline - System.nanoTime(), TimeUnit.NANOSECONDS);
  }

  private void handle(Event event) {
    switch (event) {
      case Event.Ended ended -> ended(ended);
      case Event.Drained(Worker worker) -> drained(worker);
      case Event.Stop asked -> stop(asked);
      case Event.Kill(String why) -> {
        lonely = true; // Stop waiting for other nodes, too.
        if (!running.isEmpty()) {
          kill();
          screen.say("%s again: killing the remaining ranks".formatted(why));
        }
      }
      case Event.Lost(String who) -> lost(who);
      case Event.FailedElsewhere(int attempt, Failure what) when attempt == number ->
          failedElsewhere(what);
      case Event.NodesEnded(int attempt, int nodes) when attempt == number -> endedNodes = nodes;
      case Event.FailedElsewhere _, Event.NodesEnded _, Event.Joined _, Event.NotJoined _ -> {
        // A late event of an earlier attempt, or from before the first.
      }
    }
  }

  private void failedElsewhere(Failure what) {
    if (failure == null) {
      int exitCode = what.exitCode() == ExitCode.USAGE ? ExitCode.USAGE : ExitCode.PEER_LOST;
      String stopping = fail(new Failure(what.what(), exitCode, what.isFinal()));
      screen.say(what.what() + " on another node");
      sayIfAny(stopping);
    } else if (what.isFinal()) {
      failure = failure.asFinal();
    }
  }

  private void lost(String who) {
    lonely = true;
    if (failure == null && stop == null) {
      String stopping = fail(Failure.lost(who));
      screen.say(who + " was lost");
      sayIfAny(stopping);
    }
  }

  private void ended(Event.Ended ended) {
    Worker worker = ended.worker();
    running.remove(worker);
    draining.put(worker, () -> {});
    ExitStatus status = ended.status();
    if (status.isSuccess()) {
      return;
    }
    allEndedWell = false;
    if (failure != null || killed) {
      screen.say("rank %s %s".formatted(worker.rank(), status.text()));
    } else if (status.isStopped() || status.isPeerLost()) {
      doubt(ended);
    } else {
      failed(doubtful == null || doubtful.status().isPeerLost() ? ended : doubtful);
    }
  }

  /** Handles a rank that may have ended because of a failure that is not known yet. */
  private void doubt(Event.Ended ended) {
    if (stop != null) {
      return;
    }
    if (doubtful == null) {
      doubtful = ended;
      within(DOUBT);
    } else if (doubtful.status().isPeerLost()) {
      doubtful = ended;
    }
  }

  private void drained(Worker worker) {
    Runnable toSay = draining.remove(worker);
    if (toSay != null) {
      toSay.run();
    }
  }

  /**
   * A rank of this node is the first to have failed: stops the others, then reports the failure.
   */
  private void failed(Event.Ended ended) {
    Worker worker = ended.worker();
    ExitStatus status = ended.status();
    String what = "rank %s %s".formatted(worker.rank(), status.text());
    int exitCode =
        switch (status.code()) {
          case ExitCode.USAGE, ExitCode.PEER_LOST -> status.code();
          default -> ExitCode.FAILURE;
        };
    // An invalid command line would fail again.
    Failure failed = new Failure(what, exitCode, exitCode == ExitCode.USAGE);
    String stopping = fail(failed);
    others.failed(number, failed);
    Runnable report =
        () -> {
          report(worker, what);
          sayIfAny(stopping);
        };
    if (draining.computeIfPresent(worker, (_, _) -> report) == null) {
      report.run();
    }
  }

  private void report(Worker worker, String what) {
    List<String> lines = worker.lastErrors();
    screen.say(
        "%s (process %s, attempt %s); %s"
            .formatted(
                what,
                worker.pid(),
                number,
                lines.isEmpty()
                    ? "it wrote nothing to standard error"
                    : "its last lines on standard error:"));
    lines.forEach(line -> screen.err("  | " + line));
  }

  /** Stops the remaining ranks; returns the message about it, which may be empty. */
  private String fail(Failure what) {
    failure = what;
    doubtful = null;
    if (running.isEmpty() || killed) {
      return "";
    }
    running.forEach(Worker::terminate);
    within(GRACE);
    screen.hurry();
    return "stopping " + ranks();
  }

  private void sayIfAny(String text) {
    if (!text.isEmpty()) {
      screen.say(text);
    }
  }

  private void stop(Event.Stop asked) {
    if (stop != null) {
      return;
    }
    stop = asked;
    doubtful = null;
    screen.hurry();
    others.stop(asked);
    if (failure == null && !running.isEmpty()) {
      running.forEach(Worker::terminate);
      within(plan.patience());
      screen.say(
          "%s: waiting for %s to finish the step and save (timeout %s s; repeat to kill)"
              .formatted(asked.why(), ranks(), plan.patience().toSeconds()));
    }
  }

  private void deadlineHasPassed() {
    if (doubtful != null) {
      failed(doubtful);
    } else if (killed && !running.isEmpty()) {
      screen.say("%s did not exit on SIGKILL".formatted(ranks()));
      givenUp = true;
    } else if (!running.isEmpty()) {
      String ranks = ranks();
      kill();
      screen.say("%s did not stop in time: killing".formatted(ranks));
    } else if (isOverHere() && !isOver()) {
      screen.say(
          "waiting for the ranks of other nodes: %s of %s nodes have ended"
              .formatted(endedNodes, plan.nodes().count()));
    }
  }

  private void kill() {
    killed = true;
    running.forEach(Worker::kill);
    within(LAST_WAIT);
  }

  private void within(Duration time) {
    deadline = System.nanoTime() + time.toNanos();
  }

  private String ranks() {
    List<String> ranks = running.stream().map(w -> Integer.toString(w.rank())).toList();
    return (ranks.size() == 1 ? "rank " : "ranks ") + String.join(", ", ranks);
  }
}
