// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.process;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.relaydiffusion.launch.command.StopExitCode;
import org.relaydiffusion.launch.rank.Endpoint;
import org.relaydiffusion.launch.rank.Rendezvous;

/**
 * The environment variables of the ranks, which are those of torchrun.
 *
 * @param plan of the run
 * @param inherited the launcher's own variables
 * @param cores number of cores available to Java on this node
 */
record WorkerEnvironment(LaunchPlan plan, Map<String, String> inherited, int cores) {
  private static final String THREADS = "OMP_NUM_THREADS";

  /**
   * Returns all variables of a process.
   *
   * @param localRank the process of this node
   * @param attempt from 0
   * @param runId the name of the run
   * @param rendezvous the rendezvous of this attempt
   */
  Map<String, String> of(int localRank, int attempt, String runId, Rendezvous rendezvous) {
    Nodes nodes = plan.nodes();
    String rank = Integer.toString(nodes.rank(localRank));
    String worldSize = Integer.toString(nodes.worldSize());
    Map<String, String> variables = new HashMap<>(inherited);
    WorkerCommand.removeFlags(variables);
    variables.remove(StopExitCode.VARIABLE); // The launcher uses it for all ranks.
    variables.put("RANK", rank);
    variables.put("LOCAL_RANK", Integer.toString(localRank));
    variables.put("WORLD_SIZE", worldSize);
    variables.put("LOCAL_WORLD_SIZE", Integer.toString(nodes.processes()));
    variables.put("GROUP_RANK", Integer.toString(nodes.index()));
    variables.put("GROUP_WORLD_SIZE", Integer.toString(nodes.count()));
    variables.put("ROLE_NAME", "default");
    variables.put("ROLE_RANK", rank);
    variables.put("ROLE_WORLD_SIZE", worldSize);
    variables.put("TORCHELASTIC_RUN_ID", runId);
    variables.put("TORCHELASTIC_RESTART_COUNT", Integer.toString(attempt));
    variables.put("TORCHELASTIC_MAX_RESTARTS", Integer.toString(plan.maxRestarts()));
    variables.remove(Rendezvous.FILE_VARIABLE);
    variables.remove("MASTER_ADDR");
    variables.remove("MASTER_PORT");
    variables.put(Rendezvous.AGENT_STORE_VARIABLE, "False");
    switch (rendezvous) {
      case Rendezvous.PrivateFile(Path file) -> {
        variables.put(Rendezvous.FILE_VARIABLE, file.toString());
        // Its processes connect through this interface; ranks on other nodes do not.
        variables.putIfAbsent("NCCL_SOCKET_IFNAME", "lo");
      }
      case Rendezvous.RankZero(Endpoint at) -> meetAt(at, variables);
      case Rendezvous.Agent(Endpoint at, int _) -> {
        meetAt(at, variables);
        variables.put(Rendezvous.AGENT_STORE_VARIABLE, "True");
      }
    }
    variables.put(LauncherWatch.VARIABLE, Long.toString(plan.patience().toSeconds()));
    if (sharesCores()) {
      variables.put(THREADS, Integer.toString(threads()));
    }
    return variables;
  }

  private static void meetAt(Endpoint at, Map<String, String> variables) {
    variables.put("MASTER_ADDR", at.address());
    variables.put("MASTER_PORT", Integer.toString(at.port()));
  }

  /**
   * Returns whether the cores are divided among the processes, because no number of threads is set.
   */
  boolean sharesCores() {
    return plan.nodes().processes() > 1 && inherited.getOrDefault(THREADS, "").isBlank();
  }

  /** Returns the number of threads of each process if the cores are divided. */
  int threads() {
    return Math.max(1, cores / plan.nodes().processes());
  }
}
