// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Mistakes that are found before a network is opened. */
class UsageErrorsTest {
  @TempDir private Path folder;

  private RdmRun generate(String... more) {
    String[] start = {
      "generate",
      "--network_first=first.pkl",
      "--network_second=second.pt",
      "--outdir=" + folder.resolve("out")
    };
    return RdmRun.of(Stream.of(start, more).flatMap(Stream::of).toArray(String[]::new));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--seeds=10-7           | --seeds 10-7: the start of a range must not exceed its end",
        "--seeds=a              | --seeds must be numbers and ranges",
        "--batch=0              | --batch must be at least 1, but is 0",
        "--batch=x              | Invalid value for option '--batch': 'x' is not an int",
        "--class=-1             | --class must be at least 0, but is -1",
        "--num_steps_first=1    | --num_steps_first must be at least 2, but is 1",
        "--num-steps-second=1   | --num_steps_second must be at least 2, but is 1",
        "--rho_first=0          | --rho_first must be a finite number above 0, but is 0.0",
        "--rho_first=nan        | Invalid value for option '--rho_first': 'nan' is not a number",
        "--sigma_min_second=2   | --sigma_min_second must be below truncation_sigma = 0.9",
        "--truncation_t_second=0| --truncation_t_second must be a finite number above 0",
        "--s_noise_second=2     | --s_noise_second must be in [0, 1], but is 2.0",
        "--S_churn_first=-1     | --S_churn_first must be a finite number of at least 0",
        "--up_scale_second=0    | --up_scale_second must be at least 2, but is 0",
        "--dtype=int8           | Invalid value for option '--dtype': expected auto, float32,"
            + " bfloat16",
        "--dtype=float16        | --dtype=float16 requires --device=cuda; on the CPU, use"
            + " bfloat16 or",
        "--numerics=slow        | Invalid value for option '--numerics': expected one of [exact,",
        "--cuda-graphs=on       | --cuda-graphs=on requires --device=cuda and --numerics=fast",
        "--cuda-graphs=maybe    | Invalid value for option '--cuda-graphs': expected one of [auto,",
        "--noise=gpu            | Invalid value for option '--noise': expected auto, cpu, cuda or",
        "--noise=cuda:t4        | Invalid value for option '--noise': expected a100, h100,",
        "--device=tpu           | --device must be auto, cpu, cuda or cuda:N, but is 'tpu'",
        "--threads=-1           | --threads must be 0 to 1024, but is -1",
        "--threads=1025         | --threads must be 0 to 1024, but is 1025",
        "--sampler_stages=tenth | Invalid value for option '--sampler_stages': --sampler_stages"
            + " must",
        "--sampler_stages=third | --network_third is missing: the third stage requires a",
        "--sampler_stages=second| --sampler_stages=second requires --indir",
        "--solver_first=magic   | --solver_first must be heun, euler, dpmpp-2m, dpmpp-3m,"
            + " sde-dpmpp-2m, unipc, but is 'magic'",
        "--solver_first=relay   | --solver_first must be heun, euler, dpmpp-2m, dpmpp-3m,"
            + " sde-dpmpp-2m, unipc for a stage that starts from noise, but is relay",
        "--schedule_first=even  | --schedule_first must be karras, uniform-lambda or"
            + " align-your-steps:FILE, but is 'even'",
        "--solver_second=heun   | --solver_second must be",
        "--guidance_interval_first=2,1 | --guidance_interval_first must end above its begin",
        "--guide_third=x.pkl    | --guide_third requires --network_third",
        "--indir=in             | --indir is only valid with --sampler_stages=second",
        "--sde_scale_first=1    | Unknown option: '--sde_scale_first=1'",
        "--no-such-option       | Unknown option: '--no-such-option'",
      })
  void aMistakeIsOneLineAndAHint(String option, String message) {
    RdmRun run = generate(option);

    assertThat(run.code()).isEqualTo(2);
    assertThat(run.error()).startsWith("rdm: " + message);
    assertThat(run.err().lines()).hasSize(2).last().isEqualTo("rdm: see 'rdm generate --help'");
    assertThat(run.out()).isEmpty();
    assertThat(folder).isEmptyDirectory();
  }

  @Test
  void bothNetworksAreNeeded() {
    String outdir = "--outdir=" + folder.resolve("out");

    assertThat(RdmRun.of("generate", outdir, "--network_first=a").error())
        .isEqualTo("rdm: --network_second is missing: the second stage requires a checkpoint");
    assertThat(RdmRun.of("generate", outdir, "--network_second=a").error())
        .isEqualTo("rdm: --network_first is missing: the first stage requires a checkpoint");
  }

  @Test
  void outdirIsNeeded() {
    RdmRun run = RdmRun.of("generate");

    assertThat(run.code()).isEqualTo(2);
    assertThat(run.error()).isEqualTo("rdm: Missing required option: '--outdir=DIR'");
  }

  @Test
  void badRanksAreNamed() {
    RdmRun run =
        RdmRun.in(
            Map.of("RANK", "2", "WORLD_SIZE", "2"),
            "generate",
            "--outdir=" + folder,
            "--network_first=a",
            "--network_second=b");

    assertThat(run.code()).isEqualTo(2);
    assertThat(run.error()).isEqualTo("rdm: RANK=2 must be less than WORLD_SIZE=2");
  }

  @Test
  void quietAndVerboseContradict() {
    assertThat(generate("--quiet", "--verbose").error())
        .isEqualTo("rdm: --quiet and --verbose are mutually exclusive");
  }

  @Test
  void theLastOfAnOptionGivenTwiceCounts() {
    assertThat(generate("--batch=4", "--batch=0").error()).contains("--batch must be at least 1");
  }

  @Test
  void anUnknownCommandIsAMistake() {
    RdmRun run = RdmRun.of("draw");

    assertThat(run.code()).isEqualTo(2);
    assertThat(run.error()).startsWith("rdm: unknown command 'draw'");
  }

  @Test
  void whatMayBeMeantIsSaid() {
    assertThat(RdmRun.of("genrate").error())
        .isEqualTo("rdm: unknown command 'genrate'; did you mean generate?");
    assertThat(generate("--network_frist=a").error())
        .isEqualTo("rdm: Unknown option: '--network_frist=a'; did you mean --network_first?");
    assertThat(generate("first.pkl").error()).isEqualTo("rdm: unexpected argument 'first.pkl'");
  }

  @Test
  void debugAddsTheStackTrace() {
    assertThat(generate("--batch=0", "--debug").err())
        .contains("OptionException", "at org.relaydiffusion.launch");
  }
}
