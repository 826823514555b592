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
 * The ranks of this node from their start to their end, once. All runs on one thread, which waits
 * for {@link Event}s.
 *
 * <p>As long as all is well it only waits. When a rank fails, here or elsewhere, or a launcher is
 * lost, the others are asked to stop and killed {@link #GRACE} later. When somebody asks for the
 * end, they are asked to stop and killed when the plan's patience is at its end, or when somebody
 * asks again.
 */
final class Attempt {
  /** From a rank's failure to the others' SIGKILL: with what surrounds it, less than 10 s. */
  private static final Duration GRACE = Duration.ofSeconds(7);

  /**
   * A Ctrl-C may reach a rank before it reaches the launcher: a rank that a signal has stopped is a
   * failure only if the launcher hears nothing of a signal for so long. In the same way a rank that
   * has lost another one is the first failure only if no better one becomes known.
   */
  private static final Duration DOUBT = Duration.ofSeconds(1);

  /** How long other nodes are waited for before it is said. */
  private static final Duration QUIET_WAIT = Duration.ofSeconds(5);

  /** A process that SIGKILL does not end hangs in the system, and is not waited for. */
  private static final Duration LAST_WAIT = Duration.ofSeconds(5);

  /** How it ended. */
  sealed interface Outcome {
    /** Every rank ended with 0. */
    record Done() implements Outcome {}

    /** Somebody asked for the end, and every rank of this node ended with 0: it has saved. */
    record Saved() implements Outcome {}

    /**
     * Somebody asked for the end, and a signal ended a rank.
     *
     * @param exitCode what the launcher answers
     */
    record Stopped(int exitCode) implements Outcome {}

    /** A rank failed, here or on another node. */
    record Failed(Failure failure) implements Outcome {}
  }

  private final int number;
  private final LaunchPlan plan;
  private final Screen screen;
  private final OtherNodes others;
  private final BlockingQueue<Event> events;
  private final List<Worker> running = new ArrayList<>();

  /** Ranks whose last words are still on their way, with what is said then. */
  private final Map<Worker, Runnable> draining = new HashMap<>();

  private Event.@Nullable Ended doubtful;
  private Event.@Nullable Stop stop;
  private @Nullable Failure failure;
  private boolean allEndedWell = true;
  private boolean killed;
  private boolean givenUp;

  /** Whether this node has told the others that it has no rank left. */
  private boolean toldEnd;

  private int endedNodes;

  /** Whether other nodes are out of reach, or not waited for. */
  private boolean lonely;

  /** When to act if no event comes, in {@link System#nanoTime()}. */
  private @Nullable Long deadline;

  Attempt(
      int number, LaunchPlan plan, Screen screen, OtherNodes others, BlockingQueue<Event> events) {
    this.number = number;
    this.plan = plan;
    this.screen = screen;
    this.others = others;
    this.events = events;
  }

  /** A rank that is started: its end will be among the events. */
  void add(Worker worker) {
    running.add(worker);
  }

  /** Ends what was started, when not all of it could be. */
  void abandon() {
    running.forEach(Worker::kill);
  }

  /** Waits until no rank of this attempt is left, here or on other nodes. */
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

  /** Whoever is asked to stop does not wait for other nodes, which are asked too. */
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
        lonely = true; // Other nodes are not waited for any longer either.
        if (!running.isEmpty()) {
          kill();
          screen.say("%s again: killing what still runs".formatted(why));
        }
      }
      case Event.Lost(String who) -> lost(who);
      case Event.FailedElsewhere(int attempt, Failure what) when attempt == number ->
          failedElsewhere(what);
      case Event.NodesEnded(int attempt, int nodes) when attempt == number -> endedNodes = nodes;
      case Event.FailedElsewhere _, Event.NodesEnded _, Event.Joined _, Event.NotJoined _ -> {
        // What is left over from an earlier attempt, or from before the first.
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
      screen.say(who + " is gone");
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

  /** A rank that may have ended because of something that is not known yet. */
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
   * A rank of this node is the first to have failed: the others are stopped, then it is told what
   * happened.
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
    // A wrong command line is as wrong the next time.
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

  /** Stops the ranks that still run; returns what to say about it, which may be nothing. */
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
          "%s: waiting for %s to finish the step and save (at most %s s; again to kill)"
              .formatted(asked.why(), ranks(), plan.patience().toSeconds()));
    }
  }

  private void deadlineHasPassed() {
    if (doubtful != null) {
      failed(doubtful);
    } else if (killed && !running.isEmpty()) {
      screen.say("%s cannot be ended, not even by SIGKILL".formatted(ranks()));
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
