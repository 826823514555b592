package org.relaydiffusion.launch.rank;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.OptionException;

/**
 * Which process of a run of several this one is, as whoever started it says in the environment.
 *
 * @param index 0 to {@code worldSize - 1}
 * @param worldSize how many processes there are, at least 1
 * @param localIndex which process of its machine, from 0: the GPU that {@code --device cuda} means
 * @param source who said so, such as {@code torchrun}
 */
public record Rank(int index, int worldSize, int localIndex, String source) {
  /** A process on its own. */
  public static final Rank SINGLE = new Rank(0, 1, 0, "one process");

  /** The launchers that are understood; the first one whose rank variable is set counts. */
  private static final List<Launcher> LAUNCHERS =
      List.of(
          new Launcher("torchrun", "RANK", "WORLD_SIZE", "LOCAL_RANK"),
          new Launcher("Slurm", "SLURM_PROCID", "SLURM_NTASKS", "SLURM_LOCALID"),
          new Launcher(
              "Open MPI",
              "OMPI_COMM_WORLD_RANK",
              "OMPI_COMM_WORLD_SIZE",
              "OMPI_COMM_WORLD_LOCAL_RANK"),
          new Launcher("Kubernetes", "JOB_COMPLETION_INDEX", "WORLD_SIZE", null));

  private record Launcher(String name, String rank, String worldSize, @Nullable String localRank) {}

  /** Whether this process prints what is said once a run. */
  public boolean isFirst() {
    return index == 0;
  }

  /**
   * Reads the rank that a launcher left in the environment; {@link #SINGLE} where there is none.
   *
   * @param environment the variables, as {@link System#getenv()}
   * @throws OptionException naming the variable that is missing, no number, or out of range
   */
  public static Rank of(Map<String, String> environment) {
    for (Launcher launcher : LAUNCHERS) {
      if (isSet(environment, launcher.rank())) {
        return of(launcher, environment);
      }
    }
    if (isSet(environment, "WORLD_SIZE") && number(environment, "WORLD_SIZE") > 1) {
      throw new OptionException(
          "the environment has WORLD_SIZE=%s but no rank: set RANK too, or unset WORLD_SIZE"
              .formatted(environment.get("WORLD_SIZE")));
    }
    return SINGLE;
  }

  private static Rank of(Launcher launcher, Map<String, String> environment) {
    int rank = number(environment, launcher.rank());
    if (!isSet(environment, launcher.worldSize())) {
      throw new OptionException(
          "the environment has %s=%d but not %s: set both or neither"
              .formatted(launcher.rank(), rank, launcher.worldSize()));
    }
    int worldSize = number(environment, launcher.worldSize());
    if (worldSize < 1) {
      throw new OptionException("%s must be at least 1, not 0".formatted(launcher.worldSize()));
    }
    if (rank >= worldSize) {
      throw new OptionException(
          "%s=%d is not below %s=%d"
              .formatted(launcher.rank(), rank, launcher.worldSize(), worldSize));
    }
    String local = launcher.localRank();
    int localRank = local != null && isSet(environment, local) ? number(environment, local) : 0;
    return new Rank(rank, worldSize, localRank, launcher.name());
  }

  private static boolean isSet(Map<String, String> environment, String name) {
    return !environment.getOrDefault(name, "").isBlank();
  }

  private static int number(Map<String, String> environment, String name) {
    String text = environment.getOrDefault(name, "").strip();
    if (!text.matches("\\d{1,9}")) {
      throw new OptionException(
          "the environment variable %s must be a number of at least 0, but is '%s'"
              .formatted(name, text));
    }
    return Integer.parseInt(text);
  }
}
