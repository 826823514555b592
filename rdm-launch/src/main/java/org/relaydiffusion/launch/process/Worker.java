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
  /** What a child of the rank may keep open must not hold up the end. */
  private static final Duration OUTPUT_PATIENCE = Duration.ofSeconds(1);

  private static final int BUFFER = 1 << 14;

  /**
   * What is started.
   *
   * @param rank in the whole run
   * @param line program and arguments
   * @param environment all its variables
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
   * @param spec what is started
   * @param output where what it writes goes; closed when it has ended
   * @param events told {@link Event.Ended} at once when it has ended, and {@link Event.Drained}
   *     when its last line has been read
   * @throws RdmException when it cannot be started
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

  /** The last lines of its standard error. */
  List<String> lastErrors() {
    return output.lastErrors();
  }

  /** Asks it to stop: SIGTERM. */
  void terminate() {
    // Process.destroy would close its streams as well, and its last words with them.
    process.toHandle().destroy();
  }

  /** Ends it, and what it may have started, at once: SIGKILL. */
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
      // Nobody interrupts this thread.
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
            // The process has gone in the middle of a line.
          }
          splitter.end();
        });
  }

  private static Charset charset() {
    // What a JVM writes into a pipe; the default charset is that of files.
    return Charset.forName(System.getProperty("native.encoding", Charset.defaultCharset().name()));
  }

  private Thread thread(String name, Runnable work) {
    return Thread.ofPlatform().daemon().name("rank-%s-%s".formatted(rank, name)).start(work);
  }
}
