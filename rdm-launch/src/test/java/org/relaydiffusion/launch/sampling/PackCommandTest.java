// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.sampling;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.relaydiffusion.diffusion.image.PictureReader;
import org.relaydiffusion.diffusion.image.Pixels;
import org.relaydiffusion.launch.RdmRun;
import org.relaydiffusion.launch.command.ExitCode;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** {@code rdm pack}, and sampling from what it writes. */
class PackCommandTest {
  private static final String[] FEW_STEPS = {"--num_steps_first=2", "--num_steps_second=8"};

  @TempDir private Path folder;

  private Relay relay() {
    return Relay.conditional(folder.resolve("expected"));
  }

  private Path dest() {
    return folder.resolve("pipeline");
  }

  private RdmRun pack(String... more) {
    List<String> line =
        new ArrayList<>(
            List.of(
                "pack",
                "--dest=" + dest(),
                "--network_first=" + relay().first(),
                "--network_second=" + relay().second()));
    line.addAll(List.of(FEW_STEPS));
    line.addAll(List.of(more));
    return RdmRun.of(line.toArray(String[]::new));
  }

  private RdmRun generate(String command, Path outdir, String... more) {
    List<String> line =
        new ArrayList<>(
            List.of(
                command,
                "--pipeline=" + dest(),
                "--outdir=" + outdir,
                "--device=cpu",
                "--threads=1",
                "--seeds=0-1"));
    line.addAll(List.of(more));
    return RdmRun.of(line.toArray(String[]::new));
  }

  private static Pixels picture(Path outdir) {
    return PictureReader.read(outdir.resolve("000000/000001.png"));
  }

  @Test
  void aFolderIsWrittenAndSampledFrom() throws IOException {
    RdmRun packed = pack();
    assertThat(packed.code()).as(packed.err()).isZero();
    assertThat(packed.out())
        .matches(
            "\\Q%s\\E: 2 networks, \\d+ bytes, all tensors equal to those.*\\R".formatted(dest()));
    try (Stream<Path> files = Files.list(dest())) {
      assertThat(files.map(file -> file.getFileName().toString()))
          .containsExactlyInAnyOrder("pipeline.json", "first.safetensors", "second.safetensors");
    }
    relay().run("--seeds=0-1");

    Path out = folder.resolve("out");
    RdmRun run = generate("generate", out);

    assertThat(run.code()).as(run.err()).isZero();
    assertThat(picture(out)).isEqualTo(picture(folder.resolve("expected")));
    JsonNode options =
        JsonMapper.shared().readTree(Files.readString(out.resolve("sampling_options.json")));
    assertThat(options.at("/first/num_steps").intValue()).isEqualTo(2);
  }

  @Test
  void aPresetIsKeptAndWhatIsTypedOverridesIt() throws IOException {
    RdmRun packed =
        pack("--preset=generate_celebahq", "--sde_scale_first=0.1", "--S_churn_second=3");
    assertThat(packed.code()).as(packed.err()).isZero();
    JsonNode json = JsonMapper.shared().readTree(Files.readString(dest().resolve("pipeline.json")));
    assertThat(json.at("/stages/first/options/num_steps").intValue()).isEqualTo(2);
    assertThat(json.at("/stages/first/options/sde_scale").doubleValue()).isEqualTo(0.1);
    assertThat(json.at("/stages/second/options/truncation_t").doubleValue()).isEqualTo(1.05);
    assertThat(json.at("/stages/second/options/churn/amount").doubleValue()).isEqualTo(3);
    assertThat(json.at("/enhancement/brightness").doubleValue()).isEqualTo(1.05);

    // Also by the command of another preset, whose own options may be typed.
    Path out = folder.resolve("out");
    RdmRun run = generate("generate", out, "--num_steps_second=10", "--json", "--quiet");

    assertThat(run.code()).as(run.err()).isZero();
    JsonNode result = JsonMapper.shared().readTree(run.out());
    assertThat(result.at("/second/num_steps").intValue()).isEqualTo(10);
    assertThat(result.at("/second/truncation_t").doubleValue()).isEqualTo(1.05);
    assertThat(result.at("/first/sde_scale").doubleValue()).isEqualTo(0.1);
    assertThat(result.at("/enhancement/contrast").doubleValue()).isEqualTo(0.9);
    RdmRun sde =
        generate("generate_celebahq", folder.resolve("sde"), "--sde_scale_first=0", "--json");
    assertThat(JsonMapper.shared().readTree(sde.out()).at("/first/sde_scale").doubleValue())
        .isZero();
  }

  @Test
  void aFolderWithTheFirstStageAloneRunsIt() {
    RdmRun packed =
        RdmRun.of(
            "pack",
            "--quiet",
            "--dest=" + dest(),
            "--network_first=" + relay().first(),
            "--num_steps_first=2");
    assertThat(packed.code()).as(packed.err()).isZero();

    RdmRun run = generate("generate", folder.resolve("out"));
    assertThat(run.code()).as(run.err()).isZero();
    assertThat(picture(folder.resolve("out")).width()).isEqualTo(8);
    RdmRun both = generate("generate", folder.resolve("out"), "--sampler_stages=first-second");
    assertThat(both.code()).isEqualTo(ExitCode.USAGE);
    assertThat(both.error())
        .isEqualTo(
            "rdm: --pipeline=%s has no second stage: choose others with --sampler_stages"
                .formatted(dest()));
  }

  @Test
  void networksComeFromOnePlace() {
    assertThat(generate("generate", folder.resolve("out"), "--network_second=a").error())
        .isEqualTo("rdm: --network_second and --pipeline are mutually exclusive");
    assertThat(generate("generate_imagenet", folder.resolve("out"), "--guide_first=a").error())
        .isEqualTo("rdm: --guide_first and --pipeline are mutually exclusive");
    assertThat(generate("generate", folder.resolve("out")).error())
        .isEqualTo("rdm: %s: no such file or folder, expected a pipeline folder".formatted(dest()));
    assertThat(folder).isEmptyDirectory();
  }

  @Test
  void aChangedNetworkIsNotSampledFrom() throws IOException {
    pack();
    Path network = dest().resolve("second.safetensors");
    byte[] bytes = Files.readAllBytes(network);
    bytes[bytes.length - 1] ^= 1;
    Files.write(network, bytes);

    RdmRun run = generate("generate", folder.resolve("out"));

    assertThat(run.code()).isEqualTo(ExitCode.FAILURE);
    assertThat(run.err()).contains("rdm: %s: has SHA-256 ".formatted(network));
    assertThat(folder.resolve("out/000000")).doesNotExist();
    RdmRun inspected = RdmRun.of("inspect", dest().toString());
    assertThat(inspected.code()).isEqualTo(ExitCode.FAILURE);
    assertThat(inspected.error()).startsWith("rdm: %s: has SHA-256 ".formatted(network));
  }

  @Test
  void inspectShowsAFolder() {
    pack("--cfg_scale_second=2", "--guidance_interval_second=0.1,3");

    assertThat(RdmRun.of("inspect", dest().toString()).out().lines())
        .contains(
            dest() + ": pipeline, 2 stages, SHA-256 of all files verified",
            "  num_steps 2",
            "  guidance 2",
            "  guidance_interval 0.1,3",
            "  churn amount 0, min 0, max inf, noise 1",
            "no post-processing")
        .anyMatch(
            line -> line.matches("first: first.safetensors, \\d+ bytes, EDMPrecond, \\d+ tensors"));
    JsonNode json =
        JsonMapper.shared().readTree(RdmRun.of("inspect", "--json", dest().toString()).out());
    assertThat(json.at("/stages/second/options/guidance").doubleValue()).isEqualTo(2);
    assertThat(json.at("/stages/first/network/sha256").stringValue()).hasSize(64);
    assertThat(json.get("verified").booleanValue()).isTrue();
  }

  @Test
  void mistakesLeaveNoFolder() throws IOException {
    assertThat(pack("--up_scale_second=3").err()).contains("up_scale = 3 does not divide");
    assertThat(pack("--rho_first=0").error())
        .isEqualTo("rdm: --rho_first must be a finite number above 0, but is 0.0");
    assertThat(pack("--num_steps_third=4").error())
        .isEqualTo("rdm: --num_steps_third requires --network_third");
    assertThat(pack("--preset=other").error())
        .contains("expected generate, generate_celebahq or generate_imagenet, but was 'other'");
    assertThat(RdmRun.of("pack", "--dest=" + dest()).error())
        .isEqualTo("rdm: --network_first is missing: a pipeline requires a checkpoint");
    Path text = Files.writeString(folder.resolve("notes.txt"), "no checkpoint");
    assertThat(pack("--network_second=" + text).err()).contains("rdm: " + text + ": ");
    assertThat(pack("--network_fourth=" + text).err()).contains("third stage requires");
    try (Stream<Path> files = Files.list(folder)) {
      assertThat(files).containsExactly(text);
    }
  }

  @Test
  void anExistingFolderIsReplacedOnRequest() {
    pack();

    RdmRun again = pack();
    assertThat(again.code()).isEqualTo(ExitCode.FAILURE);
    assertThat(again.error()).contains("already exists: choose another name, or use --overwrite");
    RdmRun replaced = pack("--overwrite", "--dtype=bfloat16", "--json", "--quiet");
    assertThat(replaced.code()).as(replaced.err()).isZero();
    assertThat(JsonMapper.shared().readTree(replaced.out()).get("dtype").stringValue())
        .isEqualTo("bfloat16");
    assertThat(generate("generate", folder.resolve("out")).code()).isZero();
  }
}
