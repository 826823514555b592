// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.process;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.relaydiffusion.launch.command.Console;
import org.relaydiffusion.launch.rank.Endpoint;

/** A launch whose ranks are shell scripts, which find their numbers in their variables. */
final class ShellRun {
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();
  private final Supervisor supervisor;
  private final CompletableFuture<Integer> code;

  private ShellRun(Plan plan) {
    Console console =
        new Console(
            new PrintWriter(out, true),
            new PrintWriter(err, true),
            false,
            Map.of(
                "PATH", System.getenv("PATH"), "OMP_NUM_THREADS", "1", "RDM_STOP_EXIT_CODE", "85"));
    supervisor =
        new Supervisor(
            new LaunchPlan(
                plan.nodes,
                plan.master,
                plan.runId,
                plan.maxRestarts,
                plan.patience,
                plan.output,
                List.of(plan.script)),
            (arguments, _) -> List.of("/bin/sh", "-c", arguments.getFirst()),
            console,
            plan.silence);
    code = CompletableFuture.supplyAsync(supervisor::run, task -> new Thread(task).start());
  }

  /** What to run; each method gives a changed copy. */
  record Plan(
      String script,
      Nodes nodes,
      Optional<Endpoint> master,
      Optional<String> runId,
      int maxRestarts,
      Duration patience,
      OutputPlan output,
      Duration silence) {
    Plan on(Nodes other, Endpoint at) {
      return new Plan(
          script, other, Optional.of(at), runId, maxRestarts, patience, output, silence);
    }

    Plan named(Optional<String> other) {
      return new Plan(script, nodes, master, other, maxRestarts, patience, output, silence);
    }

    Plan restarts(int most) {
      return new Plan(script, nodes, master, runId, most, patience, output, silence);
    }

    Plan patience(Duration other) {
      return new Plan(script, nodes, master, runId, maxRestarts, other, output, silence);
    }

    Plan output(Path folder, StreamChoice tee) {
      return new Plan(
          script,
          nodes,
          master,
          runId,
          maxRestarts,
          patience,
          new OutputPlan(
              Optional.of(folder), tee, StreamChoice.NONE, OutputPlan.Results.OF_ALL_RANKS),
          silence);
    }

    Plan results(OutputPlan.Results results) {
      return new Plan(
          script,
          nodes,
          master,
          runId,
          maxRestarts,
          patience,
          new OutputPlan(Optional.empty(), StreamChoice.NONE, StreamChoice.NONE, results),
          silence);
    }

    Plan silence(Duration other) {
      return new Plan(script, nodes, master, runId, maxRestarts, patience, output, other);
    }

    ShellRun start() {
      return new ShellRun(this);
    }
  }

  /** Ranks on this machine alone that run {@code script}. */
  static Plan of(int processes, String script) {
    return new Plan(
        script,
        Nodes.alone(processes),
        Optional.empty(),
        Optional.of("test"),
        0,
        Duration.ofSeconds(60),
        OutputPlan.CONSOLE,
        Duration.ofSeconds(30));
  }

  Supervisor supervisor() {
    return supervisor;
  }

  /** Waits for the end, which must come within a minute. */
  int code() throws Exception {
    return code.get(60, TimeUnit.SECONDS);
  }

  String out() {
    return out.toString();
  }

  String err() {
    return err.toString();
  }

  /** Waits, a minute at most, until something is so. */
  static void until(BooleanSupplier so) throws InterruptedException {
    long deadline = System.nanoTime() + TimeUnit.MINUTES.toNanos(1);
    while (!so.getAsBoolean()) {
      if (System.nanoTime() - deadline > 0) {
        throw new AssertionError("it has not come to that within a minute");
      }
      Thread.sleep(20);
    }
  }

  /** Waits until every one of {@code texts} stands on standard output. */
  void untilOut(String... texts) throws InterruptedException {
    until(() -> List.of(texts).stream().allMatch(out()::contains));
  }
}
