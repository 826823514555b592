// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.tests.bench;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.Writer;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.relaydiffusion.nativeconfig.LibTorch;
import org.relaydiffusion.nativeconfig.Settings;

/**
 * How OpenMP threads wait for work on a busy machine: the time of a training step or a forward pass
 * with other processes that run continuously, for each way to wait and for one thread.
 *
 * <p>Each variant is a process that is kept for all rounds, because the way to wait is fixed when
 * LibTorch is loaded. The variants alternate, so that a slowdown of the machine affects all of
 * them; the figures are medians, and ratios are relative to one thread and to LibTorch's defaults
 * in the same table.
 *
 * <p>Arguments: {@code [train|small|forward] [spinning processes] [rounds] [seconds]}; default
 * {@code train 2 7 2}. {@code train} is a step of a tiny network at 16 px, {@code small} one with
 * 64 channels, {@code forward} a pass of ADM 64 px. With {@code worker} followed by the first of
 * these, it is one of the processes.
 */
public final class WaitBenchmark {
  private static final int ONE_THREAD = 0;
  private static final int UNTOUCHED = 1;

  /**
   * A process: its name, its environment, and threads (0: as by default, -1: as {@code rdm train}).
   */
  private record Variant(String name, Map<String, String> environment, int threads) {}

  // Any setting of the user's keeps rdm from choosing; GNU's OpenMP does not know this one.
  private static final Map<String, String> LIBTORCHS_OWN = Map.of("KMP_BLOCKTIME", "200");

  private static final List<Variant> VARIANTS =
      List.of(
          new Variant("one thread", Map.of(), 1),
          new Variant("LibTorch's defaults", LIBTORCHS_OWN, 0),
          new Variant("OMP_WAIT_POLICY=PASSIVE", Map.of("OMP_WAIT_POLICY", "PASSIVE"), 0),
          new Variant("GOMP_SPINCOUNT=1000 (rdm)", Map.of(), 0),
          new Variant("threads as rdm train", Map.of(), WaitWorker.AS_THE_COMMAND));

  private WaitBenchmark() {}

  /** Runs the benchmark. */
  public static void main(String[] args) throws IOException, InterruptedException {
    LibTorch.configure(Settings.APPLICATION);
    if (args.length > 1 && args[0].equals("worker")) {
      WaitWorker.serve(args[1], Integer.parseInt(args[2]));
      return;
    }
    String work = args.length > 0 ? args[0] : "train";
    int spinning = args.length > 1 ? Integer.parseInt(args[1]) : 2;
    int rounds = args.length > 2 ? Integer.parseInt(args[2]) : 7;
    double seconds = args.length > 3 ? Double.parseDouble(args[3]) : 2;
    System.out.printf(
        Locale.ROOT,
        "%s, %s cores, %s spinning processes, %s rounds of at least %s s%n",
        work,
        Runtime.getRuntime().availableProcessors(),
        spinning,
        rounds,
        seconds);
    List<Process> all = new ArrayList<>();
    try {
      Map<Variant, Process> workers = new LinkedHashMap<>();
      for (Variant variant : VARIANTS) {
        Process worker = worker(variant, work);
        all.add(worker);
        workers.put(variant, worker);
        ask(worker, 0); // Complete all startups before measuring.
      }
      for (int i = 0; i < spinning; i++) {
        all.add(new ProcessBuilder("sh", "-c", "while :; do :; done").start());
      }
      print(measure(workers, rounds, seconds));
    } finally {
      all.forEach(Process::destroy);
    }
  }

  private static List<List<Double>> measure(
      Map<Variant, Process> workers, int rounds, double seconds) throws IOException {
    List<List<Double>> results = new ArrayList<>();
    workers.keySet().forEach(_ -> results.add(new ArrayList<>()));
    for (int round = 0; round < rounds; round++) {
      int i = 0;
      for (Process worker : workers.values()) {
        results.get(i++).add(ask(worker, seconds));
      }
    }
    return results;
  }

  private static void print(List<List<Double>> results) {
    System.out.printf("%-26s %12s %14s %20s%n", "", "ms", "to one thread", "to LibTorch's");
    for (int i = 0; i < VARIANTS.size(); i++) {
      System.out.printf(
          Locale.ROOT,
          "%-26s %12.2f %14.2f %20.3f%n",
          VARIANTS.get(i).name,
          1e3 * Samples.median(results.get(i).stream().mapToDouble(d -> d).toArray()),
          ratio(results.get(i), results.get(ONE_THREAD)),
          ratio(results.get(i), results.get(UNTOUCHED)));
    }
  }

  /** The median of each round's own ratio. */
  private static double ratio(List<Double> of, List<Double> to) {
    double[] ratios = new double[of.size()];
    for (int i = 0; i < ratios.length; i++) {
      ratios[i] = of.get(i) / to.get(i);
    }
    return Samples.median(ratios);
  }

  /** Seconds of a step, from a worker that repeats it for {@code seconds}. */
  private static double ask(Process worker, double seconds) throws IOException {
    // Not closed: they are the process's for all of its life.
    Writer out = worker.outputWriter(StandardCharsets.US_ASCII);
    out.write(seconds + "\n");
    out.flush();
    BufferedReader in = worker.inputReader(StandardCharsets.US_ASCII);
    String answer = in.readLine();
    if (answer == null) {
      throw new IOException("a worker ended");
    }
    return Double.parseDouble(answer);
  }

  private static Process worker(Variant variant, String work) throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(ManagementFactory.getRuntimeMXBean().getInputArguments());
    command.addAll(List.of("-XX:+UseSerialGC", "-cp", System.getProperty("java.class.path")));
    command.addAll(List.of(WaitBenchmark.class.getName(), "worker", work));
    command.add(Integer.toString(variant.threads));
    ProcessBuilder builder =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT);
    builder.environment().putAll(variant.environment);
    return builder.start();
  }
}
