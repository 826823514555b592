// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.training;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.relaydiffusion.checkpoint.Checkpoint;
import org.relaydiffusion.checkpoint.CheckpointEntry;
import org.relaydiffusion.checkpoint.NetworkRecord;
import org.relaydiffusion.diffusion.image.Compression;
import org.relaydiffusion.diffusion.image.PictureReader;
import org.relaydiffusion.diffusion.image.Pixels;
import org.relaydiffusion.diffusion.image.PngWriter;
import org.relaydiffusion.launch.RdmRun;
import org.relaydiffusion.launch.command.ExitCode;
import org.relaydiffusion.launch.download.FileServer;
import org.relaydiffusion.model.ModelConfig;
import org.relaydiffusion.torch.Torch;
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
                "--device=cpu",
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
    assertThat(json.at("/optimizer_kwargs/lr").asDouble()).isEqualTo(1e-4);
    assertThat(json.get("total_kimg").asDouble()).isEqualTo(0.024);
    assertThat(json.get("ema_halflife_kimg").asDouble()).isEqualTo(500);
    assertThat(json.get("batch_gpu").asInt()).isEqualTo(2);
    try (var files = Files.list(folder)) {
      assertThat(files).isEmpty();
    }
  }

  @Test
  void recomputedActivationsAreRecordedWhereTheyAreAskedFor() {
    JsonNode with =
        new JsonMapper().readTree(run(train("--dry-run", "--checkpoint-activations")).out());
    JsonNode without = new JsonMapper().readTree(run(train("--dry-run")).out());
    assertThat(with.get("checkpoint_activations").asBoolean()).isTrue();
    assertThat(without.has("checkpoint_activations")).isFalse();
  }

  /** Whole thousands of images, but for runs of a few steps. */
  @Test
  void theLengthAndTheHalfLifeAreCutAsTheReferenceCutsThem() {
    RdmRun dry = run(train("--dry-run", "--duration=0.0079", "--ema=0.0123"));
    JsonNode json = new JsonMapper().readTree(dry.out());
    assertThat(json.get("total_kimg").toString()).isEqualTo("7");
    assertThat(json.get("ema_halflife_kimg").toString()).isEqualTo("12");

    RdmRun tiny = run(train("--dry-run", "--ema=0.00002"));
    JsonNode few = new JsonMapper().readTree(tiny.out());
    assertThat(few.get("total_kimg").asDouble()).isEqualTo(0.024);
    assertThat(few.get("ema_halflife_kimg").asDouble()).isEqualTo(0.02);
  }

  /** The official Python code finds the classes by their names, so they must be its own. */
  @ParameterizedTest
  @CsvSource({
    "adm, edm, EDMPrecond, EDMLoss",
    "ddpmpp, vp, VPPrecond, VPLoss",
    "ncsnpp, ve, VEPrecond, VELoss",
    "adm, blur, EDMPrecond, BlurLoss",
    "ddpmpp, blur, EDMPrecond, BlurLoss"
  })
  void snapshotsForPythonHaveTheNetworkAndTheLoss(
      String architecture, String preconditioning, String network, String loss) throws Exception {
    RdmRun run =
        run(
            train(
                "--nosubdir",
                "--duration=0.000008",
                "--arch=" + architecture,
                "--precond=" + preconditioning,
                "--eff-attn=1",
                "--snap-format=pkl"));

    assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.OK);
    assertThat(run.err()).doesNotContain("warning");
    JsonNode options =
        new JsonMapper().readTree(Files.readString(folder.resolve("training_options.json")));
    assertThat(options.at("/loss_kwargs/class_name").asString()).isEqualTo("training.loss." + loss);
    assertThat(options.at("/network_kwargs/eff_attn").asBoolean()).isTrue();
    try (Checkpoint snapshot = Checkpoint.open(folder.resolve("network-snapshot-000000.pkl"))) {
      NetworkRecord record = snapshot.network();
      assertThat(record.className()).isEqualTo(network);
      assertThat(ModelConfig.of(record.className(), record.initKwargs()).network())
          .matches(made -> made.settings().flag("eff_attn"));
      assertThat(snapshot.otherEntries().get("loss_fn"))
          .asInstanceOf(InstanceOfAssertFactories.type(CheckpointEntry.ObjectEntry.class))
          .extracting(CheckpointEntry.ObjectEntry::className)
          .isEqualTo(loss);
    }
  }

  /** With augmentation, grids and a second stage's patches, which the size must not disturb. */
  @ParameterizedTest
  @CsvSource({"edm, 24, '1,2,2'", "blur, 24, '1,2,2'", "edm, 15, '1'", "blur, 20, '1,1,2'"})
  void theSideMayBeAnythingThatTheLevelsDivide(String preconditioning, int side, String levels)
      throws Exception {
    RdmRun run =
        run(
            trainOn(
                pictures(side),
                "--cres=" + levels,
                "--precond=" + preconditioning,
                "--augment=0.9",
                "--sample-ticks=1"));

    assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.OK);
    assertThat(run.err()).doesNotContain("warning");
    // Two by two, with gaps.
    assertThat(PictureReader.read(folder.resolve("fakes000000.png")).width())
        .isBetween(2 * side, 2 * side + 10);
  }

  @Test
  void aSideThatTheLevelsDoNotDivideIsRefused() throws Exception {
    RdmRun run = run(trainOn(pictures(18), "--cres=1,1,1"));

    assertThat(run.code()).isNotZero();
    assertThat(run.err())
        .contains(
            "channel_mult has 3 levels, so the side of an image must be a multiple of 4, not 18");
  }

  /** Into the folder itself, with other levels. */
  private List<String> trainOn(Path data, String... more) {
    List<String> arguments = train("--nosubdir", "--data=" + data, "--cond=0");
    arguments.removeIf(argument -> argument.startsWith("--cres="));
    arguments.addAll(List.of(more));
    return arguments;
  }

  /** A folder of four pictures of noise. */
  private Path pictures(int side) throws Exception {
    Path data = Files.createDirectory(folder.resolve("pictures"));
    for (int i = 0; i < 4; i++) {
      Pixels pixels = Pixels.black(side, side, 3);
      new Random(i).nextBytes(pixels.data());
      PngWriter.write(pixels, Compression.FAST, data.resolve(i + ".png"));
    }
    return data;
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
        "--batch=5 --batch-gpu=2 | --batch-gpu=2 does not divide the 5 images of each process",
        "--fp16=1 --bf16=1 | --fp16 and --bf16 are mutually exclusive",
        "--transfer=a.pt --resume=b.pt | --transfer and --resume are mutually exclusive",
        "--ls=none | --ls must be a number above 0 or auto, but is 'none'",
        "--dropout=2 | --dropout must be 0 to 1, but is 2.0",
        "--label-dropout=1.5 | --label-dropout must be 0 to 1, but is 1.5",
        "--label-dropout=0.1 --cond=0 | --label-dropout requires --cond=1: there are no labels to"
            + " drop",
        "--precond=blur --block-scale=1.1 | --block-scale must be 0 to 1, but is 1.1",
        "--device=cpu --fp16=1 | float16 needs a CUDA device",
        "--seed=4294967296 | --seed must be 0 to 4294967295, but is 4294967296",
        "--cres=1,x | expected numbers and ranges such as 1,2-4, but found 'x' in '1,x'",
        "--augment=-1 | --augment must be 0 to 1, but is -1.0",
        "--workers=0 | --workers must be 1 to 1024, but is 0",
        "--workers=1025 | --workers must be 1 to 1024, but is 1025",
        "--snap=-1 | --snap must be at least 0, but is -1",
        "--cond=maybe | expected true or false, but was 'maybe'",
        "--arch=resnet | expected one of [ddpmpp, ncsnpp, adm], but was 'resnet'",
        "--precond=blur --prob-length=2 | prob_length must be in (0, 1] to train, but is 2.0",
        "--duration=0 | the duration of a run must be above 0 kimg"
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
  void labelDropoutIsRecordedKeptInSnapshotsAndComparedOnResume() throws Exception {
    RdmRun first = run(train("--label-dropout=0.25", "--json"));

    assertThat(first.code()).as(first.err()).isEqualTo(ExitCode.OK);
    JsonNode result = new JsonMapper().readTree(first.out());
    assertThat(result.get("device").asString()).isEqualTo("cpu");
    assertThat(result.get("dtype").asString()).isEqualTo("float32");
    Path run = folder.resolve("00000-dataset-cond-adm-edm-gpus1-batch4-fp32");
    JsonNode options =
        new JsonMapper().readTree(Files.readString(run.resolve("training_options.json")));
    assertThat(options.at("/network_kwargs/label_dropout").asDouble()).isEqualTo(0.25);
    for (String file : List.of("network-snapshot-000000.safetensors", "training-state-000000.pt")) {
      RdmRun inspected = RdmRun.of("inspect", "--json", run.resolve(file).toString());
      assertThat(inspected.out()).as(file).contains("\"label_dropout\" : 0.25");
    }

    RdmRun more = run(train("--duration=0.00004", "--resume=latest"));
    assertThat(more.code()).as(more.err()).isEqualTo(ExitCode.OK);
    assertThat(more.err())
        .contains(
            "resuming with network_kwargs.label_dropout none instead of 0.25: results will differ");
  }

  @Test
  void theReferencesOptionsForItsTrackerAreTakenAndSaidToDoNothing() {
    RdmRun dry = run(train("-n", "--aim_repo=aim", "--exp-name", "a", "--exp-tag=b", "--no-aim"));

    assertThat(dry.code()).as(dry.err()).isEqualTo(ExitCode.OK);
    assertThat(dry.err().lines())
        .containsExactly(
            "--aim-repo, --exp-name, --exp-tag, --no-aim: Aim is not supported; use stats.jsonl"
                + " and the TensorBoard event files in the run folder instead");
    assertThat(run(train("-n")).err()).isEmpty();
  }

  /** With float16, the official code and --dtype=auto would sample such a network. */
  @Test
  void aRunInBfloat16IsNotRecordedAsOneInFloat16() {
    RdmRun dry = run(train("-n", "--bf16"));

    assertThat(dry.code()).as(dry.err()).isEqualTo(ExitCode.OK);
    JsonNode json = new JsonMapper().readTree(dry.out());
    assertThat(json.at("/network_kwargs/use_fp16").asBoolean()).isFalse();
    assertThat(json.get("dtype").asString()).isEqualTo("bfloat16");
  }

  @Test
  void halfPrecisionIsFloat32OnTheCpuAndSaidSo() {
    Assumptions.assumeTrue(Torch.cudaDeviceCount() == 0, "there is a GPU");
    RdmRun dry = run(train("-n", "--device=auto", "--fp16", "1", "--cres=1-3"));

    assertThat(dry.code()).as(dry.err()).isEqualTo(ExitCode.OK);
    assertThat(dry.err())
        .contains("--fp16 requires CUDA, which is not available: training in float32 on the CPU");
    JsonNode json = new JsonMapper().readTree(dry.out());
    assertThat(json.at("/network_kwargs/use_fp16").asBoolean()).isTrue();
    assertThat(json.at("/network_kwargs/channel_mult").toString()).isEqualTo("[1,2,3]");
    assertThat(json.get("dtype").asString()).isEqualTo("float32");
    assertThat(json.get("device").asString()).isEqualTo("cpu");
  }

  @Test
  void weightsAreTransferredFromAnAddress() throws Exception {
    assertThat(run(train()).code()).isEqualTo(ExitCode.OK);
    Path snapshot =
        folder.resolve(
            "00000-dataset-cond-adm-edm-gpus1-batch4-fp32/network-snapshot-000000.safetensors");
    Map<String, String> environment = Map.of("RDM_CACHE", folder.resolve("cache").toString());
    try (FileServer server =
        new FileServer().file("/net.safetensors", Files.readAllBytes(snapshot))) {
      String url = server.url("/net.safetensors");
      List<String> line = train("--transfer=" + url, "--desc=more");

      RdmRun dry = RdmRun.in(environment, with(line, "-n"));
      RdmRun run = RdmRun.in(environment, line.toArray(String[]::new));

      assertThat(dry.code()).as(dry.err()).isEqualTo(ExitCode.OK);
      assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.OK);
      assertThat(server.asked("/net.safetensors")).isEqualTo(1);
      assertThat(
              Files.readString(
                  folder.resolve(
                      "00001-dataset-cond-adm-edm-gpus1-batch4-fp32-more/training_options.json")))
          .contains("\"resume_pkl\" : \"%s\"".formatted(url));
      RdmRun missing = RdmRun.in(environment, with(line, "--transfer=" + server.url("/other.pkl")));
      assertThat(missing.code()).isEqualTo(ExitCode.FAILURE);
      assertThat(missing.err()).contains("the server responds with 404");
    }
  }

  private static String[] with(List<String> line, String more) {
    List<String> all = new ArrayList<>(line);
    all.add(more);
    return all.toArray(String[]::new);
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
