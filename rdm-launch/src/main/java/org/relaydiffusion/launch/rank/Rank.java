// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.rank;

import java.util.Map;
import java.util.Optional;
import org.relaydiffusion.OptionException;

/**
 * The rank of this process, as set in the environment by its launcher. {@link Rendezvous} is where
 * the ranks meet, and {@link RunAttempt} identifies the start of the run.
 *
 * @param index the global rank, 0 to {@code worldSize - 1}
 * @param worldSize number of processes, at least 1
 * @param localIndex the local rank, from 0: the GPU selected by {@code --device cuda}
 * @param localWorldSize number of processes on the node; if unknown, {@code localIndex + 1}
 * @param source the launcher, such as {@code torchrun}
 */
public record Rank(int index, int worldSize, int localIndex, int localWorldSize, String source) {
  /** A single process. */
  public static final Rank SINGLE = new Rank(0, 1, 0, 1, "one process");

  /** The number of tasks of one step of a Slurm job, which may have more tasks. */
  private static final String SLURM_STEP_TASKS = "SLURM_STEP_NUM_TASKS";

  /** Returns whether this process prints messages that are printed once per run. */
  public boolean isFirst() {
    return index == 0;
  }

  /** Returns whether this process performs tasks that are done once per node. */
  public boolean isFirstOfItsMachine() {
    return localIndex == 0;
  }

  /** Returns whether there are other processes. */
  public boolean isDistributed() {
    return worldSize > 1;
  }

  /**
   * Reads the rank that a launcher has set in the environment; {@link #SINGLE} if there is none.
   *
   * @param environment the variables, as {@link System#getenv()}
   * @throws OptionException naming the variable that is missing, not a number, or out of range
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
      throw new OptionException("%s must be at least 1, but is 0".formatted(worldSizeVariable));
    }
    if (rank >= worldSize) {
      throw new OptionException(
          "%s=%s must be less than %s=%s"
              .formatted(launcher.rank(), rank, worldSizeVariable, worldSize));
    }
    int localRank =
        launcher.localRank().map(name -> Variables.number(environment, name, 0)).orElse(0);
    int localWorldSize = localWorldSize(launcher, environment, localRank);
    if (localRank >= localWorldSize) {
      throw new OptionException(
          "%s=%s must be less than %s=%s"
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
