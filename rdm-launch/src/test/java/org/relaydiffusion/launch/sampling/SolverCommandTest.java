// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.sampling;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.relaydiffusion.diffusion.EdmOptions;
import org.relaydiffusion.diffusion.image.PictureReader;
import org.relaydiffusion.diffusion.image.Pixels;
import org.relaydiffusion.diffusion.sampler.Solvers;
import org.relaydiffusion.launch.RdmRun;
import org.relaydiffusion.launch.command.ExitCode;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Solvers and schedules on the command line. */
class SolverCommandTest {
  @TempDir private Path folder;

  private JsonNode record(Relay relay) throws IOException {
    return new JsonMapper()
        .readTree(Files.readString(relay.outdir().resolve("sampling_options.json")));
  }

  @Test
  void everySolverIsChosenByItsName() throws IOException {
    List<String> names = Solvers.names(EdmOptions.class);
    assertThat(names).contains("heun", "euler", "dpmpp-2m", "dpmpp-3m", "sde-dpmpp-2m", "unipc");
    Set<Pixels> pictures = new HashSet<>();
    for (String name : names) {
      Relay relay = Relay.conditional(folder.resolve(name));
      RdmRun run =
          relay.run(
              "--seeds=0",
              "--sampler_stages=first",
              "--num_steps_first=6",
              "--solver_first=" + name);
      assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.OK);
      pictures.add(PictureReader.read(relay.picture("000000/000000.png")));
      String recorded = record(relay).at("/first/solver").asString("");
      assertThat(recorded).isEqualTo(name.equals("heun") ? "" : name);
    }
    assertThat(pictures).as("each gives another picture").hasSameSizeAs(names);
  }

  @Test
  void anOptionThatTheSolverDoesNotUseIsNamed() {
    Relay relay = Relay.conditional(folder.resolve("out"));

    RdmRun churn = relay.run("--solver_first=unipc", "--S_churn=3");
    assertThat(churn.code()).isEqualTo(2);
    assertThat(churn.error())
        .isEqualTo(
            "rdm: --S_churn_first must be left out: the solver unipc does not use it, only heun,"
                + " euler");

    RdmRun scale =
        Relay.ofScript("generate_celebahq", "relay_cond_cfg", folder.resolve("out"))
            .run("--solver_first=euler", "--sde_scale_first=0.1");
    assertThat(scale.code()).isEqualTo(2);
    assertThat(scale.error())
        .isEqualTo(
            "rdm: --sde_scale_first must be left out: the solver euler does not use it, only heun");
    assertThat(folder).isEmptyDirectory();
  }

  /** Its preset has churn, which nobody typed. */
  @Test
  void whatThePresetHasIsIgnored() {
    RdmRun run =
        Relay.ofScript("generate_imagenet", "relay_cond_cfg", folder.resolve("out"))
            .run("--seeds=0", "--solver_first=dpmpp-3m", "--num_steps_first=4");
    assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.OK);
  }

  @Test
  void aListedScheduleIsRecordedByItsLevels() throws IOException {
    Relay relay = Relay.conditional(folder.resolve("out"));
    Path file = Files.writeString(folder.resolve("levels.txt"), "80, 5, 0.5, 0.01");
    String[] options = {"--seeds=0", "--schedule_first=align-your-steps:" + file, "--resume"};
    assertThat(relay.run(options).code()).isEqualTo(ExitCode.OK);
    assertThat(record(relay).at("/first/schedule").stringValue())
        .isEqualTo("align-your-steps:80.0,5.0,0.5,0.01");
    assertThat(relay.run(options).out()).contains("1 already existed");

    Files.writeString(file, "80, 6, 0.5, 0.01");
    RdmRun other = relay.run(options);
    assertThat(other.code()).isEqualTo(ExitCode.FAILURE);
    assertThat(other.err())
        .contains(
            "first.schedule align-your-steps:80.0,6.0,0.5,0.01 instead of"
                + " align-your-steps:80.0,5.0,0.5,0.01");

    Files.delete(file);
    RdmRun missing = relay.run(options);
    assertThat(missing.code()).isEqualTo(ExitCode.FAILURE);
    assertThat(missing.error()).startsWith("rdm: " + file + ": cannot be read");
    assertThat(missing.err().lines()).hasSize(1);
  }

  @Test
  void theRelayHasTheSameSchedules() throws IOException {
    Relay relay = Relay.conditional(folder.resolve("out"));
    Path file = Files.writeString(folder.resolve("levels.txt"), "2\n0.5\n0.1\n0.01\n");
    assertThat(relay.run("--seeds=0", "--schedule_second=uniform-lambda").code())
        .isEqualTo(ExitCode.OK);
    assertThat(relay.run("--seeds=0", "--schedule_second=align-your-steps:" + file).code())
        .isEqualTo(ExitCode.OK);
  }
}
