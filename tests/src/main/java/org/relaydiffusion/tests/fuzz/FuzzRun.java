// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.tests.fuzz;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * Runs Jazzer on every target, each in a separate process with a heap of 256 MB, and prints a
 * table. {@code FuzzRun ROOT [--runs=N] [seconds] [target...]}: the total time, or the total number
 * of inputs, of all targets. Generated inputs are stored in tests/target/fuzz, findings in
 * tests/target/fuzz/TARGET/findings.
 */
public final class FuzzRun {
  private static final String HEAP = "-Xmx256m";
  private static final int SECONDS = 120;

  /** A process that does not end at all; what is slow, the contract reports. */
  private static final int HANGS_SECONDS = 60;

  private static final int MOST_FINDINGS = 20;

  private final Path root;
  private final Path work;
  private final List<String> limit;

  private FuzzRun(Path root, List<String> limit) {
    this.root = root;
    this.work = root.resolve("tests/target/fuzz");
    this.limit = limit;
  }

  /** Runs it; ends with 1 when there are findings. */
  public static void main(String[] arguments) throws IOException, InterruptedException {
    List<Target> targets = new ArrayList<>();
    long runs = 0;
    long seconds = SECONDS;
    for (String argument : Arrays.asList(arguments).subList(1, arguments.length)) {
      if (argument.startsWith("--runs=")) {
        runs = Long.parseLong(argument.substring("--runs=".length()));
      } else if (argument.matches("\\d+")) {
        seconds = Long.parseLong(argument);
      } else {
        targets.add(Target.of(argument));
      }
    }
    if (targets.isEmpty()) {
      targets.addAll(List.of(Target.values()));
    }
    String limit =
        runs > 0
            ? "-runs=" + Math.ceilDiv(runs, targets.size())
            : "-max_total_time=" + Math.max(1, seconds / targets.size());
    boolean clean = new FuzzRun(Path.of(arguments[0]), List.of(limit)).run(targets);
    System.exit(clean ? 0 : 1);
  }

  private boolean run(List<Target> targets) throws IOException, InterruptedException {
    System.out.println(Totals.head());
    Totals sum = Totals.NONE;
    long findings = 0;
    for (Target target : targets) {
      Path folder = work.resolve(target.text());
      Path found = Files.createDirectories(folder.resolve("findings"));
      long before = count(found);
      Totals totals = run(target, folder);
      long fresh = count(found) - before;
      System.out.println(totals.row(target.text(), fresh));
      sum = sum.plus(totals);
      findings += fresh;
    }
    System.out.println(sum.row("all", findings));
    if (findings > 0) {
      System.out.printf(
          "The inputs are in %s, the stacks in log.txt beside them.%n",
          work.resolve("TARGET/findings"));
    }
    return findings == 0;
  }

  private Totals run(Target target, Path folder) throws IOException, InterruptedException {
    Path seeds = Files.createDirectories(folder.resolve("seeds"));
    Path grown = Files.createDirectories(folder.resolve("grown"));
    for (Map.Entry<String, byte[]> seed : new Corpus(root).of(target).entrySet()) {
      Files.write(seeds.resolve(seed.getKey().replace(File.separatorChar, '-')), seed.getValue());
    }
    Path totals = folder.resolve("totals.txt");
    Files.deleteIfExists(totals);
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(
        List.of(
            HEAP,
            "-Djava.awt.headless=true",
            "-D" + JazzerTarget.TARGET + "=" + target.text(),
            "-D" + JazzerTarget.TOTALS + "=" + totals,
            "--enable-native-access=ALL-UNNAMED",
            "--sun-misc-unsafe-memory-access=allow",
            "-XX:+EnableDynamicAgentLoading",
            "-cp",
            System.getProperty("java.class.path"),
            "com.code_intelligence.jazzer.Jazzer",
            "--target_class=" + JazzerTarget.class.getName(),
            "--instrumentation_includes=org.relaydiffusion.**",
            "--keep_going=" + MOST_FINDINGS,
            "--reproducer_path=" + folder,
            "-artifact_prefix=" + folder.resolve("findings") + File.separator,
            "-max_len=" + target.mostBytes(),
            "-timeout=" + HANGS_SECONDS,
            "-rss_limit_mb=0",
            "-print_final_stats=1"));
    command.addAll(limit);
    command.addAll(List.of(grown.toString(), seeds.toString()));
    Process process =
        new ProcessBuilder(command)
            .directory(folder.toFile())
            .redirectErrorStream(true)
            .redirectOutput(folder.resolve("log.txt").toFile())
            .start();
    process.getOutputStream().close();
    int code = process.waitFor();
    Totals result = Totals.read(totals);
    if (result.inputs() == 0) {
      throw new IOException(
          "%s: Jazzer read nothing and ended with %s: see %s"
              .formatted(target.text(), code, folder.resolve("log.txt")));
    }
    return result;
  }

  private static long count(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      // libFuzzer names a file by what happened: crash, timeout or oom.
      return files.filter(file -> !file.getFileName().toString().startsWith("slow-unit")).count();
    }
  }
}
