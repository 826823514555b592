package org.relaydiffusion.launch.process;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.RdmException;
import org.relaydiffusion.launch.command.Console;
import org.relaydiffusion.launch.command.ExitCode;
import org.relaydiffusion.launch.command.StopExitCode;
import org.relaydiffusion.launch.rank.Rendezvous;

/**
 * Runs a command as several ranks: starts this machine's processes, and starts all again when one
 * has failed and restarts are left. One {@link #run}; the other methods may be called by any thread
 * at any time.
 */
public final class Supervisor {
  /** How long launchers wait for one another. */
  private static final Duration MEETING = Duration.ofMinutes(10);

  private final LaunchPlan plan;
  private final WorkerCommand command;
  private final WorkerEnvironment environment;
  private final int stopExitCode;
  private final Screen screen;
  private final BlockingQueue<Event> events = new LinkedBlockingQueue<>();
  private volatile Event.@Nullable Stop asked;

  /**
   * A run that has not begun.
   *
   * @param plan what to do
   * @param command how a rank is started
   * @param console where the ranks' lines and the launcher's own go, and the variables that ranks
   *     inherit
   * @throws org.relaydiffusion.OptionException when a variable makes no sense
   */
  public Supervisor(LaunchPlan plan, WorkerCommand command, Console console) {
    this.plan = plan;
    this.command = command;
    this.environment =
        new WorkerEnvironment(
            plan, console.environment(), Runtime.getRuntime().availableProcessors());
    this.stopExitCode = StopExitCode.of(console.environment());
    this.screen = new Screen(console);
  }

  /**
   * Asks the ranks to finish their step, save and end.
   *
   * @param why such as {@code SIGTERM}
   * @param exitCode what {@link #run} answers if they do not all end with 0
   */
  public void stop(String why, int exitCode) {
    Event.Stop stop = new Event.Stop(why, exitCode);
    asked = stop;
    events.add(stop);
  }

  /** Kills the ranks: somebody has asked for the end again. */
  public void kill(String why) {
    events.add(new Event.Kill(why));
  }

  /**
   * Runs the ranks to their end.
   *
   * @return the exit code: 0 when every rank of this machine ended with 0, but {@link StopExitCode}
   *     when they did so because they were asked to stop
   * @throws RdmException when a rank cannot be started, or the machines do not find one another
   */
  public int run() {
    try (Link link = meeting().join(events::add)) {
      if (environment.sharesCores()) {
        screen.say(
            "OMP_NUM_THREADS=%s for each of %s ranks (%s cores), because it is not set"
                .formatted(
                    environment.threads(), plan.machines().processes(), environment.cores()));
      }
      return run(link);
    } catch (Meeting.StoppedException e) {
      Event.Stop stop = asked;
      return stop == null ? ExitCode.INTERRUPTED : stop.exitCode();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new RdmException("the launcher was interrupted", e);
    }
  }

  private Meeting meeting() {
    // Only a run on several machines needs the port; a plan for these always has it.
    Rendezvous at = plan.master().map(m -> m.onPort(m.port() + 1)).orElse(Rendezvous.LOCAL);
    return new Meeting(at, plan.runId(), plan.machines(), MEETING, screen, () -> asked != null);
  }

  private int run(Link link) throws InterruptedException {
    for (int number = 0; ; number++) {
      Attempt attempt = start(number, link);
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
        case Attempt.Outcome.Failed(String what, int exitCode, boolean isFinal) -> {
          boolean again = !isFinal && number < plan.maxRestarts();
          if (!again) {
            String tried = isFinal || number == 0 ? "" : ", and no restart is left";
            screen.err("rdm: %s%s".formatted(what, tried));
            return exitCode;
          }
          screen.say(
              "starting all ranks again (restart %s of %s)"
                  .formatted(number + 1, plan.maxRestarts()));
        }
      }
    }
  }

  private Attempt start(int number, Link link) {
    Attempt attempt = new Attempt(number, plan, screen, link, events);
    Machines machines = plan.machines();
    Rendezvous master = plan.master().orElseGet(Supervisor::freePort);
    try {
      for (int local = 0; local < machines.processes(); local++) {
        attempt.add(
            Worker.start(
                new Worker.Spec(
                    machines.rank(local),
                    command.line(plan.command(), display(local)),
                    environment.of(local, number, master)),
                RankOutput.open(machines, local, number, plan.output(), screen),
                events::add));
      }
    } catch (RdmException e) {
      attempt.abandon();
      throw e;
    }
    return attempt;
  }

  /** The first rank may write a status line over and over, if its words go to a terminal alone. */
  private WorkerCommand.Display display(int local) {
    boolean live =
        screen.isLive()
            && plan.machines().rank(local) == 0
            && plan.output().isShown(local, StreamChoice.ERR)
            && !plan.output().isFiled(local, StreamChoice.ERR);
    return live ? WorkerCommand.Display.LIVE : WorkerCommand.Display.PLAIN;
  }

  /** Each attempt has a new port, because the system may hold back the old one for a while. */
  private static Rendezvous freePort() {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return Rendezvous.LOCAL.onPort(socket.getLocalPort());
    } catch (IOException e) {
      throw new RdmException("no free port for the ranks to meet at: " + e.getMessage(), e);
    }
  }
}
