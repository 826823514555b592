// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.process;

import java.time.Duration;
import java.util.UUID;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import org.relaydiffusion.RdmException;
import org.relaydiffusion.launch.command.Console;
import org.relaydiffusion.launch.command.ExitCode;
import org.relaydiffusion.launch.command.StopExitCode;
import org.relaydiffusion.launch.rank.Endpoint;
import org.relaydiffusion.launch.rank.Rendezvous;

/**
 * Runs a command as several ranks: starts this node's processes, and restarts all of them when one
 * has failed and restarts are left. {@link #run} is called once; the other methods may be called at
 * any time from any thread.
 *
 * <p>The thread that calls {@code run} only waits for {@link Event}s. The ranks' output, the log
 * files and the other nodes are handled by separate threads, so that none of them can block it.
 */
public final class Supervisor {
  /** The timeout of the launchers for one another. */
  private static final Duration JOINING = Duration.ofMinutes(10);

  private final LaunchPlan plan;
  private final WorkerCommand command;
  private final WorkerEnvironment environment;
  private final int stopExitCode;
  private final Duration silence;
  private final Screen screen;
  private final BlockingQueue<Event> events = new LinkedBlockingQueue<>();
  private boolean wroteAll;

  /**
   * Creates a run without starting it.
   *
   * @param plan what to do
   * @param command the command line of a rank
   * @param console receives the output of the ranks and the launcher; its variables are inherited
   *     by ranks
   * @throws org.relaydiffusion.OptionException if a variable is invalid
   */
  public Supervisor(LaunchPlan plan, WorkerCommand command, Console console) {
    this(plan, command, console, Duration.ofSeconds(30));
  }

  /** Creates a run in which a node that shows no sign of life for {@code silence} is lost. */
  Supervisor(LaunchPlan plan, WorkerCommand command, Console console, Duration silence) {
    this.plan = plan;
    this.command = command;
    this.environment =
        new WorkerEnvironment(
            plan, console.environment(), Runtime.getRuntime().availableProcessors());
    this.stopExitCode = StopExitCode.of(console.environment());
    this.silence = silence;
    this.screen = new Screen(console);
  }

  /**
   * Asks the ranks to finish their step, save and exit.
   *
   * @param why the reason, such as {@code SIGTERM}
   * @param exitCode the result of {@link #run} if not all of them exit with 0
   */
  public void stop(String why, int exitCode) {
    screen.hurry();
    events.add(new Event.Stop(why, exitCode));
  }

  /** Kills the ranks, after a second stop request. */
  public void kill(String why) {
    events.add(new Event.Kill(why));
  }

  /**
   * Runs the ranks to their end.
   *
   * @return the exit code: 0 if every rank of this node exited with 0, or {@link StopExitCode} if
   *     they did so because they were asked to stop
   * @throws RdmException if a rank cannot be started, or the nodes cannot join one another
   */
  public int run() {
    try {
      return plan.nodes().isAlone() ? runAlone() : runAmongOthers();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new RdmException("the launcher was interrupted", e);
    } finally {
      wroteAll = screen.finish();
    }
  }

  /**
   * Returns whether all output could be written. If not, the output of this process is not being
   * read, and a thread is blocked; writing to it would block as well.
   */
  public boolean wroteAll() {
    return wroteAll;
  }

  private int runAlone() throws InterruptedException {
    try (RendezvousFolder folder = RendezvousFolder.create()) {
      return run(
          plan.runId().orElseGet(Supervisor::newRunId),
          OtherNodes.NONE,
          attempt -> new Rendezvous.PrivateFile(folder.file(attempt)));
    }
  }

  private int runAmongOthers() throws InterruptedException {
    Endpoint master = plan.master().orElseThrow();
    NodeJoin join = new NodeJoin(plan, newRunId(), JOINING, silence, screen);
    try (NodeLink link = NodeLink.start(plan.nodes(), join, silence, events::add)) {
      while (true) {
        switch (events.take()) {
          case Event.Joined(String runId) -> {
            return run(runId, link, attempt -> new Rendezvous.Agent(master, attempt));
          }
          case Event.NotJoined(RdmException why) -> throw why;
          case Event.Stop(_, int exitCode) -> {
            return exitCode;
          }
          default -> {
            // Without ranks, nothing else matters.
          }
        }
      }
    }
  }

  /** Returns a name that is unique among all clusters and folders. */
  private static String newRunId() {
    return UUID.randomUUID().toString();
  }

  /** Returns the rendezvous of an attempt. */
  @FunctionalInterface
  private interface Meeting {
    Rendezvous of(int attempt);
  }

  private int run(String runId, OtherNodes others, Meeting meeting) throws InterruptedException {
    if (environment.sharesCores()) {
      screen.say(
          "OMP_NUM_THREADS=%s for each of %s ranks (%s cores), because it is not set"
              .formatted(environment.threads(), plan.nodes().processes(), environment.cores()));
    }
    for (int number = 0; ; number++) {
      screen.calm();
      others.begin(number);
      Attempt attempt = start(runId, number, others, meeting.of(number));
      Attempt.Outcome outcome;
      try {
        outcome = attempt.await();
      } catch (InterruptedException e) {
        attempt.abandon();
        throw e;
      }
      switch (outcome) {
        case Attempt.Outcome.Done() -> {
          return ExitCode.OK;
        }
        case Attempt.Outcome.Saved() -> {
          return stopExitCode;
        }
        case Attempt.Outcome.Stopped(int exitCode) -> {
          return exitCode;
        }
        case Attempt.Outcome.Failed(Failure(String what, int exitCode, boolean isFinal)) -> {
          boolean again = !isFinal && number < plan.maxRestarts();
          if (!again) {
            String tried = isFinal || number == 0 ? "" : ", and no restarts are left";
            screen.err("rdm: %s%s".formatted(what, tried));
            return exitCode;
          }
          screen.say(
              "restarting all ranks (restart %s of %s)".formatted(number + 1, plan.maxRestarts()));
        }
      }
    }
  }

  private Attempt start(String runId, int number, OtherNodes others, Rendezvous rendezvous) {
    Attempt attempt = new Attempt(number, plan, screen, others, events);
    Nodes nodes = plan.nodes();
    try {
      for (int local = 0; local < nodes.processes(); local++) {
        attempt.add(
            Worker.start(
                new Worker.Spec(
                    nodes.rank(local),
                    command.line(plan.command(), display(local)),
                    environment.of(local, number, runId, rendezvous)),
                RankOutput.open(nodes, local, number, plan.output(), screen),
                events::add));
      }
    } catch (RdmException e) {
      attempt.abandon();
      throw e;
    }
    return attempt;
  }

  /** Only rank 0 may redraw a status line, if its output goes only to a terminal. */
  private WorkerCommand.Display display(int local) {
    boolean live =
        screen.isLive()
            && plan.nodes().rank(local) == 0
            && plan.output().isShown(local, StreamChoice.ERR)
            && !plan.output().isFiled(local, StreamChoice.ERR);
    return live ? WorkerCommand.Display.LIVE : WorkerCommand.Display.PLAIN;
  }
}
