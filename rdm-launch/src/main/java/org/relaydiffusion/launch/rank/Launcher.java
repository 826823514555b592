// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.rank;

import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The supported launchers; the first one whose rank variable is set is used. */
enum Launcher {
  /** torchrun, {@code rdm launch}, or variables that were set manually. */
  TORCHRUN("torchrun", "RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE"),
  /** Processes started by mpirun; before Slurm, because in a Slurm job its daemons may be steps. */
  OPEN_MPI(
      "Open MPI",
      "OMPI_COMM_WORLD_RANK",
      "OMPI_COMM_WORLD_SIZE",
      "OMPI_COMM_WORLD_LOCAL_RANK",
      "OMPI_COMM_WORLD_LOCAL_SIZE"),
  /** Tasks started by srun. A batch script has the same variables but is not a task of a step. */
  SLURM("Slurm", "SLURM_PROCID", "SLURM_NTASKS", "SLURM_LOCALID", null) {
    @Override
    boolean started(Map<String, String> environment) {
      return super.started(environment) && isTaskOfAStep(environment);
    }
  },
  /** A pod of an Indexed Job, whose manifest must specify the number of pods. */
  KUBERNETES("Kubernetes", "JOB_COMPLETION_INDEX", "WORLD_SIZE", null, null);

  /** {@code SLURM_MAX_NORMAL_STEP_ID}; numbers from here on denote scripts and shells. */
  private static final long FIRST_RESERVED_STEP = 0xfffffff0L;

  private final String title;
  private final String rank;
  private final String worldSize;
  private final @Nullable String localRank;
  private final @Nullable String localWorldSize;

  Launcher(
      String title,
      String rank,
      String worldSize,
      @Nullable String localRank,
      @Nullable String localWorldSize) {
    this.title = title;
    this.rank = rank;
    this.worldSize = worldSize;
    this.localRank = localRank;
    this.localWorldSize = localWorldSize;
  }

  /** Returns the launcher of this process, according to its variables. */
  static Optional<Launcher> of(Map<String, String> environment) {
    return Arrays.stream(values()).filter(launcher -> launcher.started(environment)).findFirst();
  }

  /** Returns whether these variables are those of a process started by this launcher. */
  boolean started(Map<String, String> environment) {
    return Variables.isSet(environment, rank);
  }

  /**
   * Returns whether srun started this process. The batch script of sbatch and the shell of salloc
   * also have a rank and a number of tasks, but these describe the job. Their step has no number,
   * or one of those reserved by Slurm.
   */
  private static boolean isTaskOfAStep(Map<String, String> environment) {
    Optional<String> step = Variables.text(environment, "SLURM_STEP_ID");
    return step.isPresent()
        && !(step.get().matches("\\d{10}") && Long.parseLong(step.get()) >= FIRST_RESERVED_STEP);
  }

  /** Returns the name. */
  String title() {
    return title;
  }

  /** Returns the variable with the rank of a process. */
  String rank() {
    return rank;
  }

  /** Returns the variable with the number of processes. */
  String worldSize() {
    return worldSize;
  }

  /** Returns the variable with the local rank, if there is one. */
  Optional<String> localRank() {
    return Optional.ofNullable(localRank);
  }

  /** Returns the variable with the number of processes on the node, if there is one. */
  Optional<String> localWorldSize() {
    return Optional.ofNullable(localWorldSize);
  }
}
