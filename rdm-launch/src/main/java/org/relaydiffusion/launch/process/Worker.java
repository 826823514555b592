// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.process;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.Charset;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.relaydiffusion.RdmException;

/** The process of one rank in one attempt. */
final class Worker {
  /** The timeout for output that a child of the rank may keep open. */
  private static final Duration OUTPUT_PATIENCE = Duration.ofSeconds(1);

  private static final int BUFFER = 1 << 14;

  /**
   * The specification of a process.
   *
   * @param rank the global rank
   * @param line program and arguments
   * @param environment all of its variables
   */
  record Spec(int rank, List<String> line, Map<String, String> environment) {}

  private final int rank;
  private final Process process;
  private final RankOutput output;

  private Worker(int rank, Process process, RankOutput output) {
    this.rank = rank;
    this.process = process;
    this.output = output;
  }

  /**
   * Starts the process.
   *
   * @param spec the process
   * @param output receives its output; closed when it has ended
   * @param events receives {@link Event.Ended} as soon as it has ended, and {@link Event.Drained}
   *     when its last line has been read
   * @throws RdmException if it cannot be started
   */
  static Worker start(Spec spec, RankOutput output, Consumer<Event> events) {
    ProcessBuilder builder = new ProcessBuilder(spec.line());
    builder.environment().clear();
    builder.environment().putAll(spec.environment());
    Process process;
    try {
      process = builder.start();
    } catch (IOException e) {
      output.close();
      throw new RdmException(
          "rank %s cannot be started: %s".formatted(spec.rank(), e.getMessage()), e);
    }
    Worker worker = new Worker(spec.rank(), process, output);
    output.begin(process.pid());
    List<Thread> pumps =
        List.of(
            worker.pump("out", process.getInputStream(), output.longestLine(), output.out()),
            worker.pump("err", process.getErrorStream(), LineSplitter.LONGEST_LINE, output.err()));
    worker.thread("wait", () -> worker.await(pumps, events));
    return worker;
  }

  int rank() {
    return rank;
  }

  long pid() {
    return process.pid();
  }

  boolean isAlive() {
    return process.isAlive();
  }

  /** Returns the last lines of its standard error. */
  List<String> lastErrors() {
    return output.lastErrors();
  }

  /** Asks the process to stop: SIGTERM. */
  void terminate() {
    // Process.destroy would also close its streams, and lose its last lines.
    process.toHandle().destroy();
  }

  /** Kills the process and its descendants: SIGKILL. */
  void kill() {
    try (Stream<ProcessHandle> children = process.descendants()) {
      children.toList().forEach(ProcessHandle::destroyForcibly);
    }
    process.toHandle().destroyForcibly();
  }

  private void await(List<Thread> pumps, Consumer<Event> events) {
    try {
      events.accept(new Event.Ended(this, new ExitStatus(process.waitFor())));
      for (Thread pump : pumps) {
        pump.join(OUTPUT_PATIENCE);
      }
    } catch (InterruptedException e) {
      // This thread is never interrupted.
      Thread.currentThread().interrupt();
      return;
    }
    output.drained();
    events.accept(new Event.Drained(this));
    output.close();
  }

  private Thread pump(String name, InputStream from, int longest, LineSplitter.Listener to) {
    LineSplitter splitter = new LineSplitter(charset(), longest, to);
    return thread(
        name,
        () -> {
          byte[] buffer = new byte[BUFFER];
          try (from) {
            for (int n = from.read(buffer); n >= 0; n = from.read(buffer)) {
              splitter.accept(buffer, n);
            }
          } catch (IOException e) {
            // The process ended in the middle of a line.
          }
          splitter.end();
        });
  }

  private static Charset charset() {
    // The charset of a JVM's output to a pipe; the default charset is that of files.
    return Charset.forName(System.getProperty("native.encoding", Charset.defaultCharset().name()));
  }

  private Thread thread(String name, Runnable work) {
    return Thread.ofPlatform().daemon().name("rank-%s-%s".formatted(rank, name)).start(work);
  }
}
