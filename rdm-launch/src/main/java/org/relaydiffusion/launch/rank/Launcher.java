package org.relaydiffusion.launch.rank;

import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The launchers that are understood; the first one whose rank variable is set counts. */
enum Launcher {
  /** Also {@code rdm launch}, and whoever sets these variables by hand. */
  TORCHRUN("torchrun", "RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE"),
  /** What srun starts. */
  SLURM("Slurm", "SLURM_PROCID", "SLURM_NTASKS", "SLURM_LOCALID", null),
  /** What mpirun starts. */
  OPEN_MPI(
      "Open MPI",
      "OMPI_COMM_WORLD_RANK",
      "OMPI_COMM_WORLD_SIZE",
      "OMPI_COMM_WORLD_LOCAL_RANK",
      "OMPI_COMM_WORLD_LOCAL_SIZE"),
  /** A pod of an Indexed Job, whose manifest has to say how many there are. */
  KUBERNETES("Kubernetes", "JOB_COMPLETION_INDEX", "WORLD_SIZE", null, null);

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
    return Arrays.stream(values())
        .filter(launcher -> Variables.isSet(environment, launcher.rank))
        .findFirst();
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
