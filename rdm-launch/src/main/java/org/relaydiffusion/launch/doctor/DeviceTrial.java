// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.doctor;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.relaydiffusion.CancelledException;
import org.relaydiffusion.Printable;
import org.relaydiffusion.io.AtomicFile;
import org.relaydiffusion.io.InputFile;
import org.relaydiffusion.launch.process.ExitStatus;
import org.relaydiffusion.launch.process.WorkerCommand;

/**
 * Tries devices, each in a process of its own: what crashes or hangs there ends only that process.
 *
 * @param command starts the process, whose argument is the device
 * @param environment its variables
 * @param timeout after which a process is ended
 */
record DeviceTrial(WorkerCommand command, Map<String, String> environment, Duration timeout) {
  /** Kernels may be compiled for a device that is newer than the library, which takes long. */
  static final Duration TIMEOUT = Duration.ofMinutes(3);

  private static final long SECONDS_TO_DIE = 5;
  private static final String CRASH_FILE = "crash.txt";
  private static final String OUT_FILE = "out.txt";
  private static final String ERROR_FILE = "err.txt";

  /** A trial writes a few hundred. */
  private static final long MOST_BYTES = 16 << 20;

  private static final long LOOK_NANOS = Duration.ofMillis(200).toNanos();

  /** Creates a trial with the variables of this process, less those with flags for Java. */
  static DeviceTrial of(WorkerCommand command, Map<String, String> environment, Duration timeout) {
    Map<String, String> variables = new HashMap<>(environment);
    WorkerCommand.removeFlags(variables);
    return new DeviceTrial(command, variables, timeout);
  }

  /** Tries all devices at the same time, and returns what came of it in their order. */
  List<DeviceCheck> all(List<String> devices) {
    List<Future<DeviceCheck>> trials = new ArrayList<>();
    try (ExecutorService threads = Executors.newFixedThreadPool(Math.max(1, devices.size()))) {
      devices.forEach(device -> trials.add(threads.submit(() -> one(device))));
    }
    return trials.stream().map(DeviceTrial::result).toList();
  }

  /** Of a trial that has ended; what it threw is thrown as it was. */
  private static DeviceCheck result(Future<DeviceCheck> trial) {
    if (trial.state() == Future.State.SUCCESS) {
      return trial.resultNow();
    }
    switch (trial.exceptionNow()) {
      case RuntimeException e -> throw e;
      case Error e -> throw e;
      case Throwable e -> throw new IllegalStateException(e);
    }
  }

  /** Tries one device. */
  DeviceCheck one(String device) {
    Path folder = null;
    try {
      folder = Files.createTempDirectory("rdm-doctor-");
      return in(folder, device);
    } catch (IOException e) {
      return new DeviceCheck(
          device,
          List.of(),
          Optional.of("not tried, because no process can be started: " + AtomicFile.reason(e)));
    } finally {
      if (folder != null) {
        delete(folder);
      }
    }
  }

  private DeviceCheck in(Path folder, String device) throws IOException {
    Path out = folder.resolve(OUT_FILE);
    ProcessBuilder builder = new ProcessBuilder(line(folder, device));
    builder.environment().clear();
    builder.environment().putAll(environment);
    Process process =
        builder
            .redirectOutput(out.toFile())
            .redirectError(folder.resolve(ERROR_FILE).toFile())
            .start();
    boolean ended;
    try {
      ended = waitFor(process, folder);
    } catch (InterruptedException e) {
      throw CancelledException.interrupted("trying " + device, e);
    } finally {
      end(process);
    }
    DeviceLines.Told told = DeviceLines.read(lines(out));
    if (told.isWhole()) {
      return new DeviceCheck(device, told.results(), Optional.empty());
    }
    String during = told.open().map(o -> " during the " + o).orElse(" before the first operation");
    String reason =
        told.failure()
            .map(f -> "failed%s: %s".formatted(during, f))
            .orElseGet(() ->
                ended
                    ? "its process " + end(new ExitStatus(process.exitValue()), folder, during)
                    : isTooLong(folder)
                        ? "its process wrote more than %s MiB%s, and was ended"
                            .formatted(MOST_BYTES >> 20, during)
                        : "no answer within %s s%s: its process was ended"
                            .formatted(timeout.toSeconds(), during));
    return new DeviceCheck(device, told.results(), Optional.of(reason));
  }

  /** Returns whether it ended, in time and before it had written too much. */
  private boolean waitFor(Process process, Path folder) throws InterruptedException {
    long end = System.nanoTime() + timeout.toNanos();
    while (!isTooLong(folder)) {
      long left = end - System.nanoTime();
      if (process.waitFor(Math.min(left, LOOK_NANOS), TimeUnit.NANOSECONDS)) {
        return true;
      }
      if (left <= LOOK_NANOS) {
        return false;
      }
    }
    return false;
  }

  /** A library that complains in a loop would fill the disk. */
  private static boolean isTooLong(Path folder) {
    return Stream.of(OUT_FILE, ERROR_FILE)
        .anyMatch(name -> folder.resolve(name).toFile().length() > MOST_BYTES);
  }

  /** Says how a process ended: the place of a crash, or else the last line that it wrote. */
  private static String end(ExitStatus status, Path folder, String during) {
    List<String> report = lines(folder.resolve(CRASH_FILE));
    int frame = report.indexOf("# Problematic frame:");
    if (frame >= 0 && frame + 1 < report.size()) {
      return "crashed%s: in %s"
          .formatted(during, Printable.line(report.get(frame + 1).replaceFirst("^# *\\w? *", "")));
    }
    return status.text()
        + during
        + lines(folder.resolve(ERROR_FILE)).stream()
            .filter(line -> !line.isBlank() && !line.startsWith("#") && !line.startsWith("["))
            .reduce((_, last) -> last)
            .map(line -> ": " + Printable.line(line.strip()))
            .orElse("");
  }

  private List<String> line(Path folder, String device) {
    List<String> line = new ArrayList<>(command.line(List.of(device), WorkerCommand.Display.PLAIN));
    line.addAll(
        1, List.of("-XX:ErrorFile=" + folder.resolve(CRASH_FILE), "-XX:-CreateCoredumpOnCrash"));
    return line;
  }

  /** A process that hangs in the driver may not even end when it is killed. */
  private static void end(Process process) {
    process.destroyForcibly();
    try {
      boolean _ = process.waitFor(SECONDS_TO_DIE, TimeUnit.SECONDS);
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }

  private static List<String> lines(Path file) {
    if (!Files.exists(file)) {
      return List.of();
    }
    // Before the process was seen to write too much, it may have written far more.
    try (InputStream in = InputFile.stream(file)) {
      return new String(in.readNBytes((int) MOST_BYTES), StandardCharsets.UTF_8).lines().toList();
    } catch (IOException _) {
      return List.of();
    }
  }

  private static void delete(Path folder) {
    try (Stream<Path> files = Files.list(folder)) {
      for (Path file : files.toList()) {
        Files.deleteIfExists(file);
      }
      Files.deleteIfExists(folder);
    } catch (IOException | UncheckedIOException _) {
      // In the folder for temporary files, which the system clears.
    }
  }
}
