package org.relaydiffusion.launch.rank;

import java.util.Map;
import java.util.Optional;
import org.relaydiffusion.OptionException;

/**
 * Which process of a run of several this one is, as whoever started it says in the environment.
 * Where they meet is {@link Rendezvous}, and which start of the run this is {@link RunAttempt}.
 *
 * @param index 0 to {@code worldSize - 1}
 * @param worldSize how many processes there are, at least 1
 * @param localIndex which process of its machine, from 0: the GPU that {@code --device cuda} means
 * @param localWorldSize how many processes its machine has; where nobody says, those up to this one
 * @param source who said so, such as {@code torchrun}
 */
public record Rank(int index, int worldSize, int localIndex, int localWorldSize, String source) {
  /** A process on its own. */
  public static final Rank SINGLE = new Rank(0, 1, 0, 1, "one process");

  /** The number of tasks of one step of a Slurm job, which may have more tasks than that. */
  private static final String SLURM_STEP_TASKS = "SLURM_STEP_NUM_TASKS";

  /** Whether this process prints what is said once a run. */
  public boolean isFirst() {
    return index == 0;
  }

  /** Whether this process is the one that does what is done once on each machine. */
  public boolean isFirstOfItsMachine() {
    return localIndex == 0;
  }

  /** Whether there are other processes. */
  public boolean isDistributed() {
    return worldSize > 1;
  }

  /**
   * Reads the rank that a launcher left in the environment; {@link #SINGLE} where there is none.
   *
   * @param environment the variables, as {@link System#getenv()}
   * @throws OptionException naming the variable that is missing, no number, or out of range
   */
  public static Rank of(Map<String, String> environment) {
    Optional<Launcher> launcher = Launcher.of(environment);
    if (launcher.isPresent()) {
      return of(launcher.get(), environment);
    }
    if (Variables.number(environment, "WORLD_SIZE", 1) > 1) {
      throw new OptionException(
          "the environment has WORLD_SIZE=%s but no rank: set RANK too, or unset WORLD_SIZE"
              .formatted(environment.get("WORLD_SIZE")));
    }
    return SINGLE;
  }

  private static Rank of(Launcher launcher, Map<String, String> environment) {
    int rank = Variables.number(environment, launcher.rank());
    String worldSizeVariable = worldSizeVariable(launcher, environment);
    if (!Variables.isSet(environment, worldSizeVariable)) {
      throw new OptionException(
          "the environment has %s=%s but not %s: set both or neither"
              .formatted(launcher.rank(), rank, worldSizeVariable));
    }
    int worldSize = Variables.number(environment, worldSizeVariable);
    if (worldSize < 1) {
      throw new OptionException("%s must be at least 1, not 0".formatted(worldSizeVariable));
    }
    if (rank >= worldSize) {
      throw new OptionException(
          "%s=%s is not below %s=%s"
              .formatted(launcher.rank(), rank, worldSizeVariable, worldSize));
    }
    int localRank =
        launcher.localRank().map(name -> Variables.number(environment, name, 0)).orElse(0);
    int localWorldSize = localWorldSize(launcher, environment, localRank);
    if (localRank >= localWorldSize) {
      throw new OptionException(
          "%s=%s is not below %s=%s"
              .formatted(
                  launcher.localRank().orElse("the local rank"),
                  localRank,
                  launcher.localWorldSize().orElse("the tasks of this node"),
                  localWorldSize));
    }
    return new Rank(rank, worldSize, localRank, localWorldSize, launcher.title());
  }

  private static String worldSizeVariable(Launcher launcher, Map<String, String> environment) {
    return launcher == Launcher.SLURM && Variables.isSet(environment, SLURM_STEP_TASKS)
        ? SLURM_STEP_TASKS
        : launcher.worldSize();
  }

  private static int localWorldSize(
      Launcher launcher, Map<String, String> environment, int localRank) {
    int atLeast = localRank + 1;
    if (launcher == Launcher.SLURM) {
      return SlurmLists.tasksOfThisNode(environment).orElse(atLeast);
    }
    return launcher
        .localWorldSize()
        .map(name -> Variables.number(environment, name, atLeast))
        .orElse(atLeast);
  }
}
