// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.training;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.relaydiffusion.diffusion.train.RunDirectory;
import org.relaydiffusion.launch.RdmRun;
import org.relaydiffusion.launch.command.ExitCode;

/** Which folder {@code rdm train} uses, which state it resumes from, and what it refuses. */
class RunFolderTest {
  private static final Path DATA =
      Path.of(System.getProperty("rdm.fixtures"), "training/blur_accum2_cond/dataset.zip");
  private static final String STATE = "training-state-000000.pt";
  private static final String NAME = "dataset-cond-adm-edm-gpus1-batch4-fp32";

  @TempDir private Path folder;

  private Path outdir() {
    return folder.resolve("runs");
  }

  private RdmRun train(String... more) {
    return train(Map.of(), more);
  }

  private RdmRun train(Map<String, String> environment, String... more) {
    List<String> arguments =
        new ArrayList<>(
            List.of(
                "train",
                "--outdir=" + outdir(),
                "--data=" + DATA,
                "--cond=1",
                "--cbase=8",
                "--cres=1,2",
                "--num-blocks=1",
                "--batch=4",
                "--duration=0.000008",
                "--tick=0.004",
                "--snap=1",
                "--dump=1",
                "--sample-ticks=0",
                "--device=cpu",
                "--threads=1",
                "--seed=1"));
    arguments.addAll(List.of(more));
    return RdmRun.in(environment, arguments.toArray(String[]::new));
  }

  private RdmRun good(String... more) {
    RdmRun run = train(more);
    assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.OK);
    return run;
  }

  private static String refused(RdmRun run) {
    assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.FAILURE);
    return run.error();
  }

  private List<String> runs() throws IOException {
    try (Stream<Path> entries = Files.list(outdir())) {
      return entries.map(entry -> entry.getFileName().toString()).sorted().toList();
    }
  }

  private static Map<String, String> contents(Path run) throws IOException {
    Map<String, String> contents = new TreeMap<>();
    try (Stream<Path> files = Files.list(run)) {
      for (Path file : files.toList()) {
        contents.put(
            file.getFileName().toString(),
            Files.getLastModifiedTime(file) + " " + Arrays.hashCode(Files.readAllBytes(file)));
      }
    }
    return contents;
  }

  @Test
  void aFinishedRunThatIsStartedAgainSaysSoAndWritesNothing() throws IOException {
    good();
    Path run = outdir().resolve("00000-" + NAME);
    Map<String, String> before = contents(run);

    RdmRun again = good("--resume=latest");

    assertThat(again.err())
        .contains("resuming from " + run.resolve(STATE))
        .contains("the run is already finished: ")
        .contains("has 0.008 of 0.008 kimg");
    assertThat(contents(run)).isEqualTo(before);
    assertThat(runs()).containsExactly("00000-" + NAME);

    // One that was killed before its last snapshot was whole makes that.
    Files.delete(run.resolve("network-snapshot-000000.safetensors"));
    good("--resume=latest");
    assertThat(run.resolve("network-snapshot-000000.safetensors")).exists();
  }

  @Test
  void latestIsTheNewestRunOfTheSameDescriptionThatHasAState() throws IOException {
    good();
    good("--precond=vp");
    good("--cond=0");
    Files.createDirectories(outdir().resolve("00007-" + NAME));
    Files.createDirectories(outdir().resolve("00008-notes"));

    RdmRun more = good("--duration=0.000012", "--resume=latest", "--desc=more", "--bf16=1");

    Path run = outdir().resolve("00000-" + NAME);
    String why =
        "resuming from %s: the newest state of the newest run of dataset-cond-adm-edm in %s"
            .formatted(run.resolve(STATE), outdir());
    assertThat(more.err())
        .contains(why)
        .contains("resuming with dtype bfloat16 instead of float32: results will differ")
        .contains("resuming with total_kimg 0.012 instead of 0.008")
        .contains("run: " + run);
    assertThat(run.resolve("log.txt"))
        .content()
        .contains(why)
        .contains("resuming with dtype bfloat16 instead of float32: results will differ");
    assertThat(runs()).doesNotContain("00009-" + NAME);
  }

  @Test
  void aDamagedStateIsNamedAndTheRunBeforeIsTaken() throws IOException {
    good();
    good();
    Path damaged = outdir().resolve("00001-" + NAME).resolve(STATE);
    Files.write(damaged, Arrays.copyOf(Files.readAllBytes(damaged), 1000));

    RdmRun run = good("--duration=0.000012", "--resume=latest");

    assertThat(run.err())
        .contains("skipping a damaged state: " + damaged)
        .contains("resuming from " + outdir().resolve("00000-" + NAME).resolve(STATE));
  }

  @Test
  void otherDataIsNamedAndAnotherNetworkRefused() throws IOException {
    good();
    Path state = outdir().resolve("00000-" + NAME).resolve(STATE);
    Path copy = Files.copy(DATA, folder.resolve("copy.zip"));
    Path other = withTheFirstPictureTwice(folder.resolve("other.zip"));
    List<String> before = runs();

    for (String dry : List.of("--dry-run", "--quiet")) {
      RdmRun network = train(dry, "--resume=" + state, "--cbase=16");
      assertThat(refused(network))
          .startsWith("rdm: " + state + ": is of another network (")
          .contains("network_kwargs.model_channels 16 instead of 8");
    }
    assertThat(runs()).isEqualTo(before);

    assertThat(good("--resume=" + state, "--data=" + copy, "--duration=0.000012").err())
        .doesNotContain("results will differ");
    assertThat(good("--resume=" + state, "--data=" + other, "--duration=0.000012").err())
        .contains("resuming with other data (other images): results will differ");
  }

  /** The data set, whose second picture is the first one. */
  private static Path withTheFirstPictureTwice(Path target) throws IOException {
    byte[] first = null;
    int pictures = 0;
    try (ZipInputStream in = new ZipInputStream(Files.newInputStream(DATA));
        ZipOutputStream out = new ZipOutputStream(Files.newOutputStream(target))) {
      for (ZipEntry entry = in.getNextEntry(); entry != null; entry = in.getNextEntry()) {
        byte[] bytes = in.readAllBytes();
        if (entry.getName().endsWith(".png") && ++pictures <= 2) {
          first = first == null ? bytes : first;
          bytes = first;
        }
        out.putNextEntry(new ZipEntry(entry.getName()));
        out.write(bytes);
      }
    }
    return target;
  }

  @Test
  void aFolderWithStatesIsRefusedUnlessTheRunResumesOrOverwrites() throws IOException {
    good("--nosubdir");
    Map<String, String> before = contents(outdir());

    for (String dry : List.of("--dry-run", "--quiet")) {
      assertThat(refused(train("--nosubdir", dry)))
          .startsWith("rdm: " + outdir() + ": contains the states of a run (" + STATE + ")")
          .contains("--resume=latest", "--overwrite");
    }
    assertThat(contents(outdir())).isEqualTo(before);
    good("--nosubdir", "--resume=" + outdir().resolve(STATE), "--duration=0.000012");
    good("--nosubdir", "--resume=latest", "--duration=0.000016");
    assertThat(good("--nosubdir", "--overwrite", "--duration=0.000004").err())
        .doesNotContain("resuming");
    assertThat(outdir().resolve("stats.jsonl")).content().hasLineCount(1);
  }

  @Test
  void optionsThatDoNotGoTogetherAreRefused() {
    assertThat(train("--overwrite").code()).isEqualTo(ExitCode.USAGE);
    assertThat(train("--overwrite", "--nosubdir", "--resume=latest").err())
        .contains("--overwrite and --resume are mutually exclusive");
    assertThat(train("--keep=0").err()).contains("--keep must be at least 1, but is 0");
    assertThat(train("--save-minutes=-1").err())
        .contains("--save-minutes must be 0 to 1000000, but is -1");
    assertThat(outdir()).doesNotExist();
  }

  @Test
  void aFolderThatIsInUseIsRefusedByItsHolder() throws IOException {
    good();
    Path run = outdir().resolve("00000-" + NAME);
    try (RunDirectory _ = RunDirectory.of(run)) {
      for (String dry : List.of("--dry-run", "--quiet")) {
        assertThat(refused(train("--resume=latest", "--duration=0.000012", dry)))
            .startsWith("rdm: " + run + ": is in use by this process");
      }
    }
    good("--resume=latest", "--duration=0.000012");
  }

  @Test
  void aRestartFindsItsOwnFolderOrMakesOne() throws IOException {
    Map<String, String> none =
        Map.of("TORCHELASTIC_RUN_ID", "none", "TORCHELASTIC_RESTART_COUNT", "1");
    Map<String, String> mine =
        Map.of("TORCHELASTIC_RUN_ID", "mine", "TORCHELASTIC_RESTART_COUNT", "1");
    train(Map.of("TORCHELASTIC_RUN_ID", "none"));
    Path finished = outdir().resolve("00000-" + NAME);
    Map<String, String> before = contents(finished);

    assertThat(train(none).err())
        .contains("a launcher without a run id", "run: " + outdir() + "/00001-");
    assertThat(train(mine).err()).contains("run: " + outdir() + "/00002-");
    assertThat(train(mine).err())
        .contains("resuming from " + outdir() + "/00002-", "the run is already finished");
    // The same launch's other task has a folder of its own.
    assertThat(train(mine, "--lr=0.1").err()).contains("run: " + outdir() + "/00003-");
    Map<String, String> requeued =
        Map.of("SLURM_JOB_ID", "17", "SLURM_PROCID", "0", "SLURM_RESTART_COUNT", "1");
    assertThat(train(requeued).err()).contains("run: " + outdir() + "/00004-");
    assertThat(train(requeued).err()).contains("resuming from " + outdir() + "/00004-");
    assertThat(contents(finished)).isEqualTo(before);
    assertThat(runs()).hasSize(5);
  }

  @Test
  void anotherLaunchOfTheSameJobHasAFolderOfItsOwn() throws IOException {
    train(Map.of("TORCHELASTIC_RUN_ID", "one", "SLURM_JOB_ID", "18"));
    // Its rank died before it had made its folder.
    RdmRun two =
        train(
            Map.of(
                "TORCHELASTIC_RUN_ID",
                "two",
                "TORCHELASTIC_RESTART_COUNT",
                "1",
                "SLURM_JOB_ID",
                "18"));

    assertThat(two.err()).contains("run: " + outdir() + "/00001-").doesNotContain("resuming");
    assertThat(runs()).hasSize(2);
  }

  /** Two runs of one job, which the cluster starts again: each needs one of the two folders. */
  @Test
  void ofTheFoldersOfAJobThatIsStartedAgainAFreeOneIsTaken() throws IOException {
    for (String launch : List.of("one", "two")) {
      train(Map.of("TORCHELASTIC_RUN_ID", launch, "SLURM_JOB_ID", "19", "SLURM_PROCID", "0"));
    }
    Map<String, String> requeued =
        Map.of("SLURM_JOB_ID", "19", "SLURM_PROCID", "0", "SLURM_RESTART_COUNT", "1");

    Path newest = outdir().resolve("00001-" + NAME);
    try (RunDirectory _ = RunDirectory.of(newest)) {
      assertThat(train(requeued).err()).contains("resuming from " + outdir() + "/00000-");
      Optional<RunDirectory> chosenAtTheSameTime =
          RunPlace.given(newest, RunPlace.Use.CONTINUE, RunPlace.IfTaken.CHOOSE_AGAIN).take();
      assertThat(chosenAtTheSameTime).isEmpty();
    }
    assertThat(train(requeued).err()).contains("resuming from " + outdir() + "/00001-");
    assertThat(runs()).hasSize(2);
  }

  @Test
  void aRestartThatCannotKnowItsFolderOverwritesNothing() throws IOException {
    good("--nosubdir");
    Map<String, String> before = contents(outdir());
    RdmRun again =
        train(
            Map.of("TORCHELASTIC_RUN_ID", "none", "TORCHELASTIC_RESTART_COUNT", "1"),
            "--nosubdir",
            "--overwrite");

    assertThat(refused(again)).contains("contains the states of a run");
    assertThat(contents(outdir())).isEqualTo(before);
  }

  @Test
  void aRestartDoesNotBeginAnewBesideStatesThatCannotBeRead() throws IOException {
    train(Map.of("TORCHELASTIC_RUN_ID", "mine"));
    Path run = outdir().resolve("00000-" + NAME);
    Files.write(run.resolve(STATE), new byte[100]);
    Map<String, String> before = contents(run);

    assertThat(
            refused(
                train(Map.of("TORCHELASTIC_RUN_ID", "mine", "TORCHELASTIC_RESTART_COUNT", "1"))))
        .contains("contains states, but none that can be read", STATE);
    assertThat(contents(run)).isEqualTo(before);
  }

  @Test
  void aStateThatIsNamedThroughALinkStaysWhereItIs() throws IOException {
    good("--nosubdir");
    Path link = Files.createSymbolicLink(folder.resolve("link"), outdir());
    good("--nosubdir", "--resume=" + link.resolve(STATE), "--duration=0.000012");

    assertThat(outdir().resolve(STATE)).exists();
    assertThat(runs()).noneMatch(name -> name.endsWith(".aside"));
  }
}
