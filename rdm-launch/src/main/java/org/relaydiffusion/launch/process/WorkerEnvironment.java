package org.relaydiffusion.launch.process;

import java.util.HashMap;
import java.util.Map;
import org.relaydiffusion.launch.command.StopExitCode;
import org.relaydiffusion.launch.rank.Rendezvous;

/**
 * The variables that torchrun sets for its processes.
 *
 * @param plan of the run
 * @param inherited the launcher's own variables
 * @param cores that Java may use on this machine
 */
record WorkerEnvironment(LaunchPlan plan, Map<String, String> inherited, int cores) {
  private static final String THREADS = "OMP_NUM_THREADS";

  /**
   * All variables of a process.
   *
   * @param localRank which process of this machine
   * @param attempt from 0
   * @param master where the ranks of this attempt meet
   */
  Map<String, String> of(int localRank, int attempt, Rendezvous master) {
    Machines machines = plan.machines();
    String rank = Integer.toString(machines.rank(localRank));
    String worldSize = Integer.toString(machines.worldSize());
    Map<String, String> variables = new HashMap<>(inherited);
    JavaCommand.FLAG_VARIABLES.forEach(variables::remove);
    variables.remove(StopExitCode.VARIABLE); // The launcher gives that answer for all ranks.
    variables.put("RANK", rank);
    variables.put("LOCAL_RANK", Integer.toString(localRank));
    variables.put("WORLD_SIZE", worldSize);
    variables.put("LOCAL_WORLD_SIZE", Integer.toString(machines.processes()));
    variables.put("GROUP_RANK", Integer.toString(machines.index()));
    variables.put("GROUP_WORLD_SIZE", Integer.toString(machines.count()));
    variables.put("ROLE_NAME", "default");
    variables.put("ROLE_RANK", rank);
    variables.put("ROLE_WORLD_SIZE", worldSize);
    variables.put("MASTER_ADDR", master.address());
    variables.put("MASTER_PORT", Integer.toString(master.port()));
    variables.put("TORCHELASTIC_RUN_ID", plan.runId());
    variables.put("TORCHELASTIC_RESTART_COUNT", Integer.toString(attempt));
    variables.put("TORCHELASTIC_MAX_RESTARTS", Integer.toString(plan.maxRestarts()));
    variables.put("TORCHELASTIC_USE_AGENT_STORE", "False");
    variables.putIfAbsent("TORCH_NCCL_ASYNC_ERROR_HANDLING", "1");
    variables.put(LauncherWatch.VARIABLE, Long.toString(plan.patience().toSeconds()));
    if (sharesCores()) {
      variables.put(THREADS, Integer.toString(threads()));
    }
    return variables;
  }

  /** Whether the cores are divided among the processes, because nobody has said how. */
  boolean sharesCores() {
    return plan.machines().processes() > 1 && inherited.getOrDefault(THREADS, "").isBlank();
  }

  /** Threads for each process when the cores are divided. */
  int threads() {
    return Math.max(1, cores / plan.machines().processes());
  }
}
