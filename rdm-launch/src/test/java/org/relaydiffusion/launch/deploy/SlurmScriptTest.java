// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.deploy;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** deploy/slurm/train.sbatch, with stand-ins for Slurm's commands and for rdm. */
@DisabledOnOs(value = OS.WINDOWS, disabledReason = "the script is for bash")
class SlurmScriptTest {
  private static final Path SCRIPT =
      Path.of(System.getProperty("rdm.fixtures"), "../../deploy/slurm/train.sbatch").normalize();

  /** Runs the command that follows its own options, and hands SIGTERM on, as srun does. */
  private static final String SRUN =
      """
      #!/bin/sh
      while [ "${1#--}" != "$1" ]; do shift; done
      exec "$@"
      """;

  private static final String SCONTROL =
      """
      #!/bin/sh
      [ "$1" = show ] && echo "   JobState=$STATE Reason=None"
      [ "$1" = requeue ] && echo "requeued $2"
      exit 0
      """;

  @TempDir private Path folder;

  @BeforeEach
  void standIns() throws IOException {
    executable("srun", SRUN);
    executable("scontrol", SCONTROL);
  }

  private void executable(String name, String text) throws IOException {
    Path file = Files.writeString(folder.resolve(name), text);
    assertThat(file.toFile().setExecutable(true)).isTrue();
  }

  private Process start(String rdm, String state) throws IOException {
    executable("rdm", "#!/bin/sh\n" + rdm);
    ProcessBuilder builder =
        new ProcessBuilder("bash", SCRIPT.toString(), "--outdir=runs/a b", "--batch=8")
            .redirectErrorStream(true);
    builder.environment().put("PATH", folder + ":" + System.getenv("PATH"));
    builder.environment().put("SLURM_SUBMIT_DIR", folder.toString());
    builder.environment().put("SLURM_JOB_ID", "17");
    builder.environment().put("SLURM_CPUS_PER_TASK", "8");
    builder.environment().put("STATE", state);
    return builder.start();
  }

  private static List<String> output(Process process, int code) throws Exception {
    List<String> lines = process.inputReader().lines().toList();
    assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    assertThat(process.exitValue()).as(String.join("\n", lines)).isEqualTo(code);
    return lines;
  }

  @Test
  void bashTakesIt() throws Exception {
    Process check = new ProcessBuilder("bash", "-n", SCRIPT.toString()).start();
    output(check, 0);
  }

  private static List<String> slurmsOptions() throws IOException {
    List<String> options = new ArrayList<>();
    for (String line : Files.readAllLines(SCRIPT)) {
      if (!line.isBlank() && !line.startsWith("#")) {
        break;
      }
      if (line.startsWith("#SBATCH ")) {
        options.add(line.substring("#SBATCH ".length()));
      }
    }
    return options;
  }

  @Test
  void slurmsOptionsStandBeforeTheFirstCommand() throws IOException {
    assertThat(slurmsOptions()).contains("--requeue", "--signal=TERM@300", "--open-mode=append");
  }

  /** And the tasks compute on them: see {@link #aRunThatIsDoneIsNotQueuedAgain}. */
  @Test
  void thereIsAGpuForEveryTask() throws IOException {
    assertThat(value("--gpus-per-node")).isPositive().isEqualTo(value("--ntasks-per-node"));
  }

  private static int value(String option) throws IOException {
    return slurmsOptions().stream()
        .filter(line -> line.startsWith(option + "="))
        .mapToInt(line -> Integer.parseInt(line.substring(option.length() + 1)))
        .findFirst()
        .orElseThrow();
  }

  @Test
  void aRunThatIsDoneIsNotQueuedAgain() throws Exception {
    Process job =
        start("for a in \"$@\"; do echo \"<$a>\"; done; echo $OMP_NUM_THREADS", "RUNNING");

    assertThat(output(job, 0))
        .containsExactly(
            "<train>",
            "<--device=cuda>",
            "<--resume=latest>",
            "<--outdir=runs/a b>",
            "<--batch=8>",
            "8");
  }

  @Test
  void aFailureIsTheJobsOwn() throws Exception {
    assertThat(output(start("exit 3", "RUNNING"), 3)).isEmpty();
  }

  @Test
  void tasksThatWereAskedToStopAreQueuedAgain() throws Exception {
    assertThat(output(start("exit $RDM_STOP_EXIT_CODE", "RUNNING"), 0)).contains("requeued 17");
  }

  @Test
  void aSignalToTheScriptReachesTheTasksAndIsWaitedFor() throws Exception {
    Process job =
        start(
            "trap 'sleep 0.3; echo saved; exit $RDM_STOP_EXIT_CODE' TERM; : > \"$0.up\";"
                + " while :; do sleep 0.05; done",
            "RUNNING");
    Path up = folder.resolve("rdm.up");
    for (int i = 0; !Files.exists(up) && i < 3000; i++) {
      Thread.sleep(20);
    }

    job.toHandle().destroy();

    assertThat(output(job, 0)).containsSubsequence("saved", "requeued 17");
  }

  @Test
  void aCancelledJobIsNotQueuedAgain() throws Exception {
    assertThat(output(start("exit $RDM_STOP_EXIT_CODE", "CANCELLED"), 0))
        .noneMatch(line -> line.contains("requeued"));
  }
}
