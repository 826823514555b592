// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.tests.bench;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.relaydiffusion.launch.Rdm;
import org.relaydiffusion.model.Numerics;

/**
 * The commands on the null runtime, a LibTorch with CUDA over a runtime that computes nothing and
 * counts: whether they run to their end, what they launch, copy and wait for, whether another
 * device is touched, and whether captured graphs stay legal. Counts for a step are the difference
 * of two runs of different lengths, so that what a process does once is not among them.
 *
 * <p>Arguments: the folder of the null runtime, {@code [cuda|cuda:N...]}; default cuda and cuda:1.
 * It ends with 1 if a command failed, touched another device or made an illegal call.
 */
public final class NullRuns {
  /** Its library, by which it is known. */
  static final String RUNTIME = "libcudart.so.13";

  private static final int SHORT = 4;
  private static final int LONG = 6;
  private static final int IMAGES = 4;
  private static final int RANKS = 2;

  private final Path runtime;
  private final Path work;
  private final String rdm;
  private boolean good = true;

  private NullRuns(Path runtime, Path work) {
    this.runtime = runtime;
    this.work = work;
    this.rdm = Path.of(System.getProperty("rdm.tests", ".")).resolveSibling("rdm").toString();
  }

  /** Runs them. */
  public static void main(String[] args) throws IOException, InterruptedException {
    Path work = Files.createTempDirectory("null-runs");
    try {
      NullRuns runs = new NullRuns(Path.of(args[0]).toAbsolutePath(), work);
      runs.prepare();
      System.out.printf(
          "%-62s %8s %7s %7s %6s %6s %7s%n",
          "", "launches", "to dev.", "to host", "waits", "other", "illegal");
      List<String> devices = List.of(args).subList(1, args.length);
      for (String device : devices.isEmpty() ? List.of("cuda", "cuda:1") : devices) {
        runs.all(device);
      }
      if (!runs.good) {
        System.exit(1);
      }
    } finally {
      TemporaryFolder.delete(work);
    }
  }

  private void prepare() throws IOException, InterruptedException {
    for (String name : List.of("first", "second")) {
      try (InputStream in =
          Rdm.class.getResourceAsStream("sampling/demo/" + name + ".safetensors")) {
        if (in == null) {
          throw new IllegalStateException("the networks of the demo are missing");
        }
        Files.copy(in, work.resolve(name + ".safetensors"));
      }
    }
    for (int side : new int[] {16, 64}) {
      String size = side + "x" + side;
      Process made =
          new ProcessBuilder(
                  rdm,
                  "dataset",
                  "--source=synthetic:shapes",
                  "--images=32",
                  "--resolution=" + size,
                  "--dest=" + work.resolve(size + ".zip"))
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .redirectError(ProcessBuilder.Redirect.INHERIT)
              .start();
      if (made.waitFor() != 0) {
        throw new IllegalStateException("rdm dataset failed");
      }
    }
  }

  private void all(String device) throws IOException, InterruptedException {
    passes(device);
    for (String command : List.of("generate", "generate_celebahq", "generate_imagenet")) {
      RunCounts base = run(command, device, sampling(command, device, SHORT, SHORT));
      RunCounts first = run(command, device, sampling(command, device, LONG, SHORT));
      RunCounts second = run(command, device, sampling(command, device, SHORT, LONG));
      row(command + ", first stage, a step", device, first.beyond(base, LONG - SHORT));
      row(command + ", second stage, a step", device, second.beyond(base, LONG - SHORT));
    }
    for (String precond : List.of("edm", "blur")) {
      RunCounts base = run("train", device, training(device, precond, SHORT));
      RunCounts longer = run("train", device, training(device, precond, LONG));
      row("train --precond=" + precond + ", a step", device, longer.beyond(base, LONG - SHORT));
    }
    if (device.equals("cuda")) {
      ranks();
    }
  }

  private void passes(String device) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(
        List.of(
            "--enable-native-access=ALL-UNNAMED",
            "--sun-misc-unsafe-memory-access=allow",
            "-XX:+UseSerialGC",
            "-cp",
            System.getProperty("java.class.path"),
            NullPasses.class.getName(),
            runtime.toString(),
            device));
    List<String> report = start("passes", command);
    for (int network : new int[] {64, 256}) {
      for (GpuCase.Variant variant : GpuCase.Variant.values()) {
        for (GpuCase.Mode mode : GpuCase.Mode.values()) {
          pass(report, NullPasses.title(network, variant, mode), device);
        }
      }
    }
    for (Numerics numerics : Numerics.values()) {
      pass(report, NullPasses.inceptionTitle(numerics), device);
    }
  }

  private void pass(List<String> report, String title, String device) {
    RunCounts.parse(report, title, index(device))
        .forEach(counts -> row(title + ", a pass", device, counts.each(NullPasses.PASSES)));
  }

  private List<String> sampling(String command, String device, int first, int second)
      throws IOException {
    return List.of(
        rdm,
        command,
        "--outdir=" + Files.createTempDirectory(work, "out"),
        "--network_first=" + work.resolve("first.safetensors"),
        "--network_second=" + work.resolve("second.safetensors"),
        "--seeds=0-" + (IMAGES - 1),
        "--class=0-7",
        "--batch=" + IMAGES,
        "--num_steps_first=" + first,
        "--num_steps_second=" + second,
        // No level is cut off, so that each counts.
        "--sigma_max_second=0.9",
        "--truncation_sigma_second=1",
        "--cfg_scale_first=1.5",
        "--cfg_scale_second=1.5",
        "--dtype=bfloat16",
        "--device=" + device,
        "--quiet");
  }

  private List<String> training(String device, String precond, int steps) throws IOException {
    List<String> command = new ArrayList<>();
    command.addAll(
        List.of(
            rdm,
            "train",
            "--outdir=" + Files.createTempDirectory(work, "runs"),
            "--data=" + work.resolve(precond.equals("edm") ? "16x16.zip" : "64x64.zip"),
            "--cond=1",
            "--precond=" + precond,
            "--arch=adm",
            "--cbase=32",
            "--cres=1,2",
            "--num-blocks=1",
            "--bf16=1",
            "--batch=" + IMAGES,
            "--duration=" + String.format(Locale.ROOT, "%.6f", steps * IMAGES / 1e6),
            // One tick and one state, at the end.
            "--tick=1000",
            "--seed=0",
            "--quiet"));
    if (device.startsWith("cuda")) {
      command.add("--device=" + device);
    }
    return command;
  }

  /** Two processes, each on a device of its own. */
  private void ranks() throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.addAll(List.of(rdm, "launch", "--standalone", "--nproc_per_node=" + RANKS));
    List<String> training = training("cuda", "edm", SHORT);
    command.addAll(training.subList(1, training.size()));
    List<String> report = start("two ranks", command);
    for (int rank = 0; rank < RANKS; rank++) {
      // The process that launched more on a device is that of the rank.
      int device = rank;
      RunCounts.parse(report, "at exit", device).stream()
          .filter(counts -> counts.launches() > 0)
          .min((a, b) -> Double.compare(a.elsewhere(), b.elsewhere()))
          .ifPresent(counts ->
              row(
                  "train on two ranks, rank %s, whole run".formatted(device),
                  "cuda:" + device,
                  counts));
    }
  }

  private RunCounts run(String name, String device, List<String> command)
      throws IOException, InterruptedException {
    List<RunCounts> all =
        RunCounts.parse(start(name, command), "at exit", index(device)).stream()
            .filter(counts -> counts.launches() > 0)
            .toList();
    if (all.size() != 1) {
      good = false;
      System.out.println(
          "%s on %s: %s processes launched kernels".formatted(name, device, all.size()));
      return new RunCounts(0, 0, 0, 0, 0, 0, List.of());
    }
    return all.getFirst();
  }

  /** Runs a command to its end. Returns the lines of the counts. */
  private List<String> start(String name, List<String> command)
      throws IOException, InterruptedException {
    Path counts = Files.createTempFile(work, "counts", ".txt");
    Path log = Files.createTempFile(work, "log", ".txt");
    ProcessBuilder builder =
        new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log.toFile());
    builder
        .environment()
        .putAll(
            Map.of(
                "RDM_LIBTORCH", runtime.toString(),
                "LD_LIBRARY_PATH", runtime.toString(),
                "NULLCUDA_OUT", counts.toString(),
                "NULLCUDA_TOP", "0"));
    int code = builder.start().waitFor();
    if (code != 0) {
      good = false;
      System.out.println("%s ended with %s:".formatted(name, code));
      List<String> lines = Files.readAllLines(log);
      lines
          .subList(Math.max(0, lines.size() - 5), lines.size())
          .forEach(l -> System.out.println("  " + l));
    }
    return Files.readAllLines(counts);
  }

  private static int index(String device) {
    int colon = device.indexOf(':');
    return colon < 0 ? 0 : Integer.parseInt(device.substring(colon + 1));
  }

  private void row(String what, String device, RunCounts counts) {
    System.out.printf(
        Locale.ROOT,
        "%-62s %8.1f %7.1f %7.1f %6.1f %6.0f %7.0f%n",
        device + ": " + what,
        counts.launches(),
        counts.toDevice(),
        counts.toHost(),
        counts.waits(),
        counts.elsewhere(),
        counts.illegal());
    counts.unknown().forEach(name -> System.out.println("  calls %s".formatted(name)));
    good &= counts.elsewhere() == 0 && counts.illegal() == 0;
  }
}
