package org.relaydiffusion.tests.exact;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.relaydiffusion.nativeconfig.NativeThreads;
import org.relaydiffusion.torch.Torch;

/**
 * Runs the cases on one thread and prints, of each, how many tensors have the official run's bits.
 * Ends with 1 unless all have.
 *
 * <pre>
 * ExactTraining FIXTURES [--runs=FOLDER] [--beside=FOLDER] [--all] [CASE...]
 * </pre>
 *
 * With {@code --beside}, the {@code --runs} of another library, it also prints how far the two
 * libraries' tensors are apart.
 */
public final class ExactTraining {
  private static final int SHOWN = 8;

  private ExactTraining() {}

  /** Runs. */
  public static void main(String[] args) throws IOException {
    Path fixtures = Path.of(args[0]);
    List<String> wanted = new ArrayList<>();
    Path runs = null;
    Path beside = null;
    boolean all = false;
    for (String arg : List.of(args).subList(1, args.length)) {
      if (arg.startsWith("--runs=")) {
        runs = Path.of(arg.substring("--runs=".length()));
      } else if (arg.startsWith("--beside=")) {
        beside = Path.of(arg.substring("--beside=".length()));
      } else if (arg.equals("--all")) {
        all = true;
      } else {
        wanted.add(arg);
      }
    }
    NativeThreads.setThreads(1);
    System.out.println("LibTorch " + Torch.library().version() + ", " + Torch.library().source().origin());
    Path folder = runs == null ? Files.createTempDirectory("exact-training") : runs;
    boolean equal = true;
    for (ExactCase one : ExactCase.all(fixtures)) {
      if (wanted.isEmpty() || wanted.contains(one.name())) {
        ExactResult result =
            ExactResult.of(one, Files.createDirectories(folder.resolve(one.name())));
        equal &= print(one, result, all);
        if (beside != null) {
          Distances.print(beside.resolve(one.name()), result.state());
        }
      }
    }
    System.exit(equal ? 0 : 1);
  }

  private static boolean print(ExactCase one, ExactResult result, boolean all) {
    List<String> different = result.differences(one);
    System.out.println(
        String.format(
            Locale.ROOT,
            "%-18s %s of %s tensors have the official bits",
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
