package org.relaydiffusion.launch.process;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.launch.command.ExitCode;

/**
 * The ranks of this machine from their start to their end, once. All runs on one thread, which
 * waits for {@link Event}s.
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
   * failure only if the launcher hears nothing of a signal for so long.
   */
  private static final Duration DOUBT = Duration.ofSeconds(1);

  /** A process that SIGKILL does not end hangs in the system, and is not waited for. */
  private static final Duration LAST_WAIT = Duration.ofSeconds(5);

  /** How it ended. */
  sealed interface Outcome {
    /** Every rank ended with 0. */
    record Done() implements Outcome {}

    /** Somebody asked for the end, and every rank of this machine ended with 0: it has saved. */
    record Saved() implements Outcome {}

    /**
     * Somebody asked for the end, and a signal ended a rank.
     *
     * @param exitCode what the launcher answers
     */
    record Stopped(int exitCode) implements Outcome {}

    /**
     * A rank failed.
     *
     * @param what one line that names it
     * @param exitCode what the launcher answers
     * @param isFinal whether another attempt would make no sense
     */
    record Failed(String what, int exitCode, boolean isFinal) implements Outcome {}
  }

  private final int number;
  private final LaunchPlan plan;
  private final Screen screen;
  private final Link link;
  private final BlockingQueue<Event> events;
  private final List<Worker> running = new ArrayList<>();
  private final Set<Integer> endedMachines = new HashSet<>();

  private Worker.@Nullable Ended doubtful;
  private Event.@Nullable Stop stop;
  private Outcome.@Nullable Failed failure;
  private boolean allEndedWell = true;
  private boolean killed;
  private boolean givenUp;

  /** Whether other machines are out of reach, or not waited for. */
  private boolean lonely;

  /** When to act if no event comes, in {@link System#nanoTime()}. */
  private @Nullable Long deadline;

  Attempt(int number, LaunchPlan plan, Screen screen, Link link, BlockingQueue<Event> events) {
    this.number = number;
    this.plan = plan;
    this.screen = screen;
    this.link = link;
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

  /** Waits until no rank of this attempt is left, here or on other machines. */
  Outcome await() throws InterruptedException {
    while (!isOver()) {
      Event event = next();
      if (event == null) {
        deadline = null;
        deadlineHasPassed();
      } else {
        handle(event);
      }
      if (isOverHere() && endedMachines.add(plan.machines().index())) {
        link.send(new Message.Ended(number, plan.machines().index()));
      }
    }
    return outcome();
  }

  private boolean isOverHere() {
    return givenUp || (running.isEmpty() && doubtful == null);
  }

  private boolean isOver() {
    return isOverHere() && (lonely || endedMachines.size() >= plan.machines().count());
  }

  private Outcome outcome() {
    if (failure != null) {
      return stop == null && !givenUp
          ? failure
          : new Outcome.Failed(failure.what, failure.exitCode, true);
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
      case Worker.Ended ended -> ended(ended);
      case Event.Stop asked -> {
        if (stop == null) {
          link.send(new Message.Stop(asked.why(), asked.exitCode()));
        }
        stop(asked);
      }
      case Event.Kill(String why) -> {
        lonely = true; // Other machines are not waited for any longer either.
        if (!running.isEmpty()) {
          screen.say("%s again: killing what still runs".formatted(why));
          kill();
        }
      }
      case Event.Lost(String who) -> lost(who);
      case Event.Said(Message message) -> heard(message);
    }
  }

  private void heard(Message message) {
    switch (message) {
      case Message.Failed(int attempt, String what, int exitCode) when attempt == number -> {
        if (failure == null) {
          screen.say(what + " on another machine");
          fail(new Outcome.Failed(what, exitCode, exitCode == ExitCode.USAGE));
        }
      }
      case Message.Stop(String why, int exitCode) -> stop(new Event.Stop(why, exitCode));
      case Message.Ended(int attempt, int machine) when attempt == number ->
          endedMachines.add(machine);
      default -> {
        // What is left over from an earlier attempt.
      }
    }
  }

  private void lost(String who) {
    lonely = true;
    if (failure == null) {
      screen.say(who + " is gone");
      fail(new Outcome.Failed(who + " is gone", ExitCode.FAILURE, true));
    }
  }

  private void ended(Worker.Ended ended) {
    running.remove(ended.worker());
    ExitStatus status = ended.status();
    if (status.isSuccess()) {
      return;
    }
    allEndedWell = false;
    if (failure != null || killed) {
      screen.say("rank %s %s".formatted(ended.worker().rank(), status.text()));
    } else if (!status.isStopped()) {
      failed(doubtful == null ? ended : doubtful);
    } else if (stop == null && doubtful == null) {
      doubtful = ended;
      within(DOUBT);
    }
  }

  /** A rank of this machine is the first to have failed. */
  private void failed(Worker.Ended ended) {
    Worker worker = ended.worker();
    ExitStatus status = ended.status();
    String what = "rank %s %s".formatted(worker.rank(), status.text());
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
    int exitCode = status.code() == ExitCode.USAGE ? ExitCode.USAGE : ExitCode.FAILURE;
    link.send(new Message.Failed(number, what, exitCode));
    // A wrong command line is as wrong the next time.
    fail(new Outcome.Failed(what, exitCode, exitCode == ExitCode.USAGE));
  }

  private void fail(Outcome.Failed what) {
    failure = what;
    doubtful = null;
    if (!running.isEmpty() && !killed) {
      screen.say("stopping %s".formatted(ranks()));
      running.forEach(Worker::terminate);
      within(GRACE);
    }
  }

  private void stop(Event.Stop asked) {
    if (stop != null) {
      return;
    }
    stop = asked;
    doubtful = null;
    if (failure == null && !running.isEmpty()) {
      screen.say(
          "%s: waiting for %s to finish the step and save (at most %s s; again to kill)"
              .formatted(asked.why(), ranks(), plan.patience().toSeconds()));
      running.forEach(Worker::terminate);
      within(plan.patience());
    }
  }

  private void deadlineHasPassed() {
    if (doubtful != null) {
      failed(doubtful);
    } else if (killed) {
      screen.say("%s cannot be ended, not even by SIGKILL".formatted(ranks()));
      givenUp = true;
    } else if (!running.isEmpty()) {
      screen.say("%s did not stop in time: killing".formatted(ranks()));
      kill();
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
