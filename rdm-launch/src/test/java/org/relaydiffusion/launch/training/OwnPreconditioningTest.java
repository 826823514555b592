// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.training;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.relaydiffusion.checkpoint.Checkpoint;
import org.relaydiffusion.launch.RdmRun;
import org.relaydiffusion.launch.command.ExitCode;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** {@code --precond} finds a loss and a preconditioner that are on the class path only. */
class OwnPreconditioningTest {
  private static final Path DATA =
      Path.of(System.getProperty("rdm.fixtures"), "training/blur_accum2_cond/dataset.zip");

  @TempDir private Path folder;

  private RdmRun train(String... more) {
    List<String> arguments =
        new ArrayList<>(
            List.of(
                "train",
                "--outdir=" + folder,
                "--data=" + DATA,
                "--cbase=8",
                "--cres=1,2",
                "--num-blocks=1",
                "--batch=4",
                "--tick=0.004",
                "--snap=1",
                "--dump=1",
                "--device=cpu",
                "--threads=1",
                "--seed=1"));
    arguments.addAll(List.of(more));
    return RdmRun.of(arguments.toArray(String[]::new));
  }

  private Path run(String name) {
    return folder.resolve("00000-dataset-uncond-adm-%s-gpus1-batch4-fp32".formatted(name));
  }

  private static JsonNode options(Path run) throws Exception {
    return new JsonMapper().readTree(Files.readString(run.resolve("training_options.json")));
  }

  @Test
  void aLossIsTrainedByItsName() throws Exception {
    RdmRun done = train("--precond=Halved", "--duration=0.000008");

    assertThat(done.code()).as(done.err()).isEqualTo(ExitCode.OK);
    assertThat(done.err()).doesNotContain("warning");
    JsonNode options = options(run("halved"));
    assertThat(options.at("/loss_kwargs/class_name").asString())
        .isEqualTo(HalvedLoss.class.getName());
    assertThat(options.at("/network_kwargs/class_name").asString())
        .isEqualTo("training.networks.EDMPrecond");
  }

  @Test
  void aPreconditionerIsTrainedByItsClassAndResumed() throws Exception {
    RdmRun first = train("--precond=SkippingPrecond", "--duration=0.000008");
    assertThat(first.code()).as(first.err()).isEqualTo(ExitCode.OK);

    RdmRun more = train("--precond=SkippingPrecond", "--duration=0.000012", "--resume=latest");
    assertThat(more.code()).as(more.err()).isEqualTo(ExitCode.OK);
    assertThat(more.out())
        .contains("finished 0.0 kimg")
        .contains(run("SkippingPrecond").toString());
    assertThat(more.err()).contains("at 0.008 kimg").doesNotContain("warning");
    assertThat(options(run("SkippingPrecond")).at("/loss_kwargs/class_name").asString())
        .isEqualTo("training.loss.EDMLoss");
    try (Checkpoint snapshot =
        Checkpoint.open(run("SkippingPrecond").resolve("network-snapshot-000000.safetensors"))) {
      assertThat(snapshot.network().className()).isEqualTo("SkippingPrecond");
    }
  }

  @Test
  void whatIsKnownIsListed() {
    RdmRun refused = train("--precond=EDMPrecond", "--dry-run");
    assertThat(refused.code()).isEqualTo(ExitCode.USAGE);
    assertThat(refused.err())
        .contains(
            "expected one of [vp, ve, edm, blur, halved, SkippingPrecond], but was 'EDMPrecond'");
  }

  @Test
  void theOfficialFormatIsRefusedByName() {
    RdmRun refused = train("--precond=SkippingPrecond", "--snap-format=both", "--dry-run");
    assertThat(refused.code()).isEqualTo(ExitCode.USAGE);
    assertThat(refused.err())
        .contains(
            "--snap-format=both is for the official code, which has no network SkippingPrecond over"
                + " DhariwalUNet: use safetensors");
  }
}
