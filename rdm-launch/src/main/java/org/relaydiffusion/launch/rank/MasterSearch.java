// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.rank;

import java.util.Map;
import java.util.Optional;
import org.relaydiffusion.OptionException;

/**
 * Finds the rendezvous, see {@link Rendezvous#of}.
 *
 * @param environment the variables
 * @param rank of this process
 */
record MasterSearch(Map<String, String> environment, Rank rank) {
  private static final String ADDRESS = "MASTER_ADDR";
  private static final String PORT = "MASTER_PORT";

  /** Ports below the ephemeral ports of Linux. */
  private static final int FIRST_PORT = 15000;

  private static final int PORTS = 15000;

  Endpoint find() {
    return new Endpoint(address(), port());
  }

  private String address() {
    Optional<String> said = Variables.text(environment, ADDRESS);
    if (said.isPresent()) {
      return said.get();
    }
    if (rank.localWorldSize() == rank.worldSize()) {
      return Endpoint.LOCAL.address();
    }
    Optional<Launcher> launcher = Launcher.of(environment);
    Optional<String> host =
        launcher.filter(Launcher.SLURM::equals).flatMap(_ -> SlurmLists.firstHost(environment));
    return host.orElseThrow(() ->
        new OptionException(
            "rank %s of %s does not have the address of rank 0: %s"
                .formatted(rank.index(), rank.worldSize(), advice(launcher))));
  }

  private static String advice(Optional<Launcher> launcher) {
    return switch (launcher.orElse(Launcher.TORCHRUN)) {
      case TORCHRUN -> "set MASTER_ADDR and MASTER_PORT, to the same values for all ranks";
      case SLURM -> "neither MASTER_ADDR nor SLURM_JOB_NODELIST is set";
      case OPEN_MPI -> "start with mpirun -x MASTER_ADDR=HOST, the host of rank 0";
      case KUBERNETES ->
          "set MASTER_ADDR to JOB-0.SERVICE, pod 0's name under the job's headless service";
    };
  }

  private int port() {
    Optional<String> said = Variables.text(environment, PORT);
    if (said.isPresent()) {
      return Endpoint.port("the environment variable " + PORT, said.get());
    }
    return jobName()
        .map(job -> FIRST_PORT + Math.floorMod(job.hashCode(), PORTS))
        .orElse(Endpoint.DEFAULT_PORT);
  }

  /** Returns a name that is the same for all ranks of a job and unique to the job. */
  private Optional<String> jobName() {
    return switch (Launcher.of(environment).orElse(Launcher.TORCHRUN)) {
      case SLURM ->
          Variables.text(environment, "SLURM_JOB_ID")
              .map(job -> job + "." + environment.getOrDefault("SLURM_STEP_ID", ""));
      // In a Slurm job, the daemons that start the ranks may be separate steps.
      case OPEN_MPI -> Variables.text(environment, "PMIX_NAMESPACE", "SLURM_JOB_ID");
      case TORCHRUN, KUBERNETES -> Optional.empty();
    };
  }
}
