package org.relaydiffusion.launch.training;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.relaydiffusion.launch.RdmRun;
import org.relaydiffusion.launch.command.ExitCode;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class TrainCommandTest {
  private static final Path DATA =
      Path.of(System.getProperty("rdm.fixtures"), "training/blur_accum2_cond/dataset.zip");

  @TempDir private Path folder;

  private List<String> train(String... more) {
    List<String> arguments =
        new ArrayList<>(
            List.of(
                "train",
                "--outdir=" + folder,
                "--data=" + DATA,
                "--cond=1",
                "--cbase=8",
                "--cres=1,2",
                "--num-blocks=1",
                "--batch=4",
                "--batch-gpu=2",
                "--duration=0.000024",
                "--tick=0.008",
                "--snap=1",
                "--dump=1",
                "--sample-ticks=0",
                "--threads=1",
                "--seed=1"));
    arguments.addAll(List.of(more));
    return arguments;
  }

  private static RdmRun run(List<String> arguments) {
    return RdmRun.of(arguments.toArray(String[]::new));
  }

  @Test
  void aDryRunResolvesEverythingAndWritesNothing() throws Exception {
    RdmRun dry = run(train("--dry-run", "--precond=blur"));

    assertThat(dry.code()).as(dry.err()).isEqualTo(ExitCode.OK);
    JsonNode json = new JsonMapper().readTree(dry.out());
    assertThat(json.at("/network_kwargs/class_name").asString())
        .isEqualTo("training.networks.EDMPrecond");
    assertThat(json.at("/network_kwargs/label_dim").asInt()).isEqualTo(2);
    assertThat(json.at("/network_kwargs/augment_dim").asInt()).isEqualTo(9);
    assertThat(json.at("/loss_kwargs/class_name").asString()).isEqualTo("training.loss.BlurLoss");
    assertThat(json.at("/loss_kwargs/prob_length").asDouble()).isEqualTo(0.93);
    assertThat(json.at("/augment_kwargs/p").asDouble()).isEqualTo(0.12);
    assertThat(json.at("/optimizer_kwargs/lr").asDouble()).isEqualTo(0.001);
    assertThat(json.get("total_kimg").asDouble()).isEqualTo(0.024);
    assertThat(json.get("ema_halflife_kimg").asDouble()).isEqualTo(500);
    assertThat(json.get("batch_gpu").asInt()).isEqualTo(2);
    try (var files = Files.list(folder)) {
      assertThat(files).isEmpty();
    }
  }

  @Test
  void aRunHasItsOwnFolderAndCanGoOnFromItsLatestState() {
    RdmRun first = run(train("--json"));

    assertThat(first.code()).as(first.err()).isEqualTo(ExitCode.OK);
    assertThat(new JsonMapper().readTree(first.out()).get("images").asLong()).isEqualTo(24);
    Path run = folder.resolve("00000-dataset-cond-adm-edm-gpus1-batch4-fp32");
    assertThat(run.resolve("training_options.json")).exists();
    assertThat(run.resolve("training-state-000000.pt")).exists();
    assertThat(run.resolve("network-snapshot-000000.safetensors")).exists();

    RdmRun more = run(train("--duration=0.00004", "--resume=latest"));
    assertThat(more.code()).as(more.err()).isEqualTo(ExitCode.OK);
    assertThat(more.err()).contains("run: " + run).contains("training-state-000000.pt, at 0.024");
    assertThat(folder.resolve("00001-dataset-cond-adm-edm-gpus1-batch4-fp32")).doesNotExist();
  }

  @Test
  void latestWithoutAStateBeginsAnew() {
    RdmRun run = run(train("--resume=latest", "--desc=new"));

    assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.OK);
    assertThat(folder.resolve("00000-dataset-cond-adm-edm-gpus1-batch4-fp32-new")).isDirectory();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--batch=5 --batch-gpu=2 | do not divide into rounds of 2",
        "--fp16=1 --bf16=1 | --fp16 and --bf16 cannot be had together",
        "--transfer=a.pt --resume=b.pt | --transfer and --resume cannot be had together",
        "--ls=none | --ls must be a number above 0 or auto, but is 'none'",
        "--dropout=2 | --dropout must be 0 to 1, but is 2.0",
        "--augment=-1 | --augment must be 0 to 1, but is -1.0",
        "--workers=0 | --workers must be 1 to 1024, but is 0",
        "--workers=1025 | --workers must be 1 to 1024, but is 1025",
        "--snap=-1 | --snap must be at least 0, but is -1",
        "--cond=maybe | expected true or false, but was 'maybe'",
        "--arch=resnet | expected one of [ddpmpp, ncsnpp, adm], but was 'resnet'",
        "--precond=blur --prob-length=2 | prob_length must be in (0, 1] to train, but is 2.0",
        "--duration=0 | length must be above 0 kimg"
      })
  void whatCannotBeMeantIsOneLineAndNoFolder(String options, String message) throws Exception {
    RdmRun run = run(train(options.split(" ")));

    assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.USAGE);
    assertThat(run.err()).contains(message);
    try (var files = Files.list(folder)) {
      assertThat(files).isEmpty();
    }
  }

  @Test
  void aMissingDataSetOrStateIsNamed() {
    RdmRun data = run(train("--data=" + folder.resolve("no.zip")));
    assertThat(data.code()).isEqualTo(ExitCode.FAILURE);
    assertThat(data.err()).contains(folder.resolve("no.zip").toString());

    RdmRun state = run(train("--resume=" + folder.resolve("no.pt")));
    assertThat(state.code()).isEqualTo(ExitCode.FAILURE);
    assertThat(state.err()).contains(folder.resolve("no.pt").toString());
  }
}
