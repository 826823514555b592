package org.relaydiffusion.launch.rank;

import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The launchers that are understood; the first one whose rank variable is set counts. */
enum Launcher {
  /** Also {@code rdm launch}, and whoever sets these variables by hand. */
  TORCHRUN("torchrun", "RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE"),
  /** What mpirun starts; before Slurm, in whose job it may run with steps for its daemons. */
  OPEN_MPI(
      "Open MPI",
      "OMPI_COMM_WORLD_RANK",
      "OMPI_COMM_WORLD_SIZE",
      "OMPI_COMM_WORLD_LOCAL_RANK",
      "OMPI_COMM_WORLD_LOCAL_SIZE"),
  /** What srun starts. A job's script has the same variables, but is no task of a step. */
  SLURM("Slurm", "SLURM_PROCID", "SLURM_NTASKS", "SLURM_LOCALID", null) {
    @Override
    boolean started(Map<String, String> environment) {
      return super.started(environment) && isTaskOfAStep(environment);
    }
  },
  /** A pod of an Indexed Job, whose manifest has to say how many there are. */
  KUBERNETES("Kubernetes", "JOB_COMPLETION_INDEX", "WORLD_SIZE", null, null);

  /** {@code SLURM_MAX_NORMAL_STEP_ID}, from which on numbers stand for scripts and shells. */
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

  /** Who started this process, as far as its variables say. */
  static Optional<Launcher> of(Map<String, String> environment) {
    return Arrays.stream(values()).filter(launcher -> launcher.started(environment)).findFirst();
  }

  /** Whether these variables are those of a process that it started. */
  boolean started(Map<String, String> environment) {
    return Variables.isSet(environment, rank);
  }

  /**
   * Whether srun started this process. The script that sbatch runs and the shell of salloc have a
   * rank and a number of tasks too, but these describe the job. Their step has no number, or one of
   * those that Slurm keeps for them.
   */
  private static boolean isTaskOfAStep(Map<String, String> environment) {
    Optional<String> step = Variables.text(environment, "SLURM_STEP_ID");
    return step.isPresent()
        && !(step.get().matches("\\d{10}") && Long.parseLong(step.get()) >= FIRST_RESERVED_STEP);
  }

  /** Its name. */
  String title() {
    return title;
  }

  /** The variable with a process's rank. */
  String rank() {
    return rank;
  }

  /** The variable with the number of processes. */
  String worldSize() {
    return worldSize;
  }

  /** The variable with a process's rank on its machine, if there is one. */
  Optional<String> localRank() {
    return Optional.ofNullable(localRank);
  }

  /** The variable with the number of processes on the machine, if there is one. */
  Optional<String> localWorldSize() {
    return Optional.ofNullable(localWorldSize);
  }
}
