// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.tests.exact;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.relaydiffusion.nativeconfig.LibTorch;
import org.relaydiffusion.nativeconfig.NativeThreads;
import org.relaydiffusion.nativeconfig.Settings;
import org.relaydiffusion.torch.Torch;

/**
 * Runs the cases on one thread and prints, for each, how many tensors are bit-identical to the
 * official run. Exits with 1 unless all are.
 *
 * <pre>
 * ExactTraining FIXTURES [--runs=FOLDER] [--beside=FOLDER] [--all] [CASE...]
 * </pre>
 *
 * With {@code --beside}, the {@code --runs} folder of another library, it also prints the
 * differences between the tensors of the two libraries.
 */
public final class ExactTraining {
  private static final int SHOWN = 8;

  private ExactTraining() {}

  /**
   * What is asked for.
   *
   * @param runs where the runs are kept; empty for nowhere
   * @param beside the runs of another library
   * @param all whether every name is printed
   * @param cases their names; empty for all
   */
  private record Request(
      Optional<Path> runs, Optional<Path> beside, boolean all, List<String> cases) {
    static Request of(List<String> args) {
      Optional<Path> runs = Optional.empty();
      Optional<Path> beside = Optional.empty();
      boolean all = false;
      List<String> cases = new ArrayList<>();
      for (String arg : args) {
        if (arg.startsWith("--runs=")) {
          runs = Optional.of(Path.of(arg.substring("--runs=".length())));
        } else if (arg.startsWith("--beside=")) {
          beside = Optional.of(Path.of(arg.substring("--beside=".length())));
        } else if (arg.equals("--all")) {
          all = true;
        } else {
          cases.add(arg);
        }
      }
      return new Request(runs, beside, all, cases);
    }
  }

  /** Runs. */
  public static void main(String[] args) throws IOException {
    LibTorch.configure(Settings.APPLICATION);
    List<ExactCase> known = ExactCase.all(Path.of(args[0]));
    Request request = Request.of(List.of(args).subList(1, args.length));
    List<String> names = known.stream().map(ExactCase::name).toList();
    for (String name : request.cases()) {
      if (!names.contains(name)) {
        System.err.println("unknown option or case '" + name + "'; cases are " + names);
        System.exit(2);
      }
    }
    NativeThreads.setThreads(1);
    System.out.println(
        "LibTorch " + Torch.library().version() + ", " + Torch.library().source().origin());
    boolean equal = true;
    for (ExactCase one : known) {
      if (request.cases().isEmpty() || request.cases().contains(one.name())) {
        equal &= run(one, request);
      }
    }
    System.exit(equal ? 0 : 1);
  }

  private static boolean run(ExactCase one, Request request) throws IOException {
    if (request.runs().isPresent()) {
      return run(one, request, request.runs().get().resolve(one.name()));
    }
    Path folder = Files.createTempDirectory("exact-training");
    try {
      return run(one, request, folder);
    } finally {
      try (Stream<Path> files = Files.walk(folder)) {
        for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
          Files.delete(file);
        }
      }
    }
  }

  private static boolean run(ExactCase one, Request request, Path folder) throws IOException {
    ExactResult result = ExactResult.of(one, Files.createDirectories(folder));
    boolean equal = print(one, result, request.all());
    request.beside().ifPresent(other -> Distances.print(other.resolve(one.name()), result.state()));
    return equal;
  }

  private static boolean print(ExactCase one, ExactResult result, boolean all) {
    List<String> different = result.differences(one);
    System.out.println(
        String.format(
            Locale.ROOT,
            "%-18s %s of %s tensors are bit-identical",
            one.name(),
            one.hashes().size() - different.size(),
            one.hashes().size()));
    if (!different.isEmpty()) {
      for (int step = 0; step < one.losses().size(); step++) {
        double official = one.losses().get(step);
        double ours = result.losses().get(step);
        System.out.println(
            String.format(
                Locale.ROOT,
                "  step %s: loss %.9g, relative difference %.2g",
                step + 1,
                ours,
                (ours - official) / official));
      }
      Map<String, Integer> kinds = new LinkedHashMap<>();
      different.forEach(n -> kinds.merge(n.substring(0, n.indexOf('.')), 1, Integer::sum));
      System.out.println("  different: " + kinds);
      different.stream()
          .limit(all ? different.size() : SHOWN)
          .forEach(n -> System.out.println("    " + n));
    }
    return different.isEmpty();
  }
}
