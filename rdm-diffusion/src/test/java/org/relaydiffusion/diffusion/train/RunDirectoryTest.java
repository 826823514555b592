package org.relaydiffusion.diffusion.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.relaydiffusion.FileException;

class RunDirectoryTest {
  @TempDir private Path folder;

  @Test
  void runsAreNumberedAfterTheHighest() throws IOException {
    Files.createDirectories(folder.resolve("00007-older"));
    Files.createDirectories(folder.resolve("notes"));
    Files.writeString(folder.resolve("00009-file"), "no folder");

    assertThat(RunDirectory.numbered(folder, "faces").path())
        .isEqualTo(folder.resolve("00008-faces"))
        .isDirectory();
  }

  @Test
  void theNameIsTheReferences() {
    assertThat(RunDirectory.description("name", true, "adm", "edm", 8, 4096, "fp16", ""))
        .isEqualTo("name-cond-adm-edm-gpus8-batch4096-fp16");
    assertThat(RunDirectory.description("cifar", false, "ddpmpp", "vp", 1, 512, "fp32", "try"))
        .isEqualTo("cifar-uncond-ddpmpp-vp-gpus1-batch512-fp32-try");
  }

  @Test
  void theLatestStateIsTheOneOfMostImages() throws IOException {
    RunDirectory run = RunDirectory.of(folder.resolve("run"));
    assertThat(run.latestState()).isEmpty();
    for (String name :
        new String[] {
          "training-state-000900.pt",
          "training-state-1000000.pt",
          "training-state-99.pt.tmp",
          "network-snapshot-2000000.pkl"
        }) {
      Files.writeString(run.file(name), "");
    }

    assertThat(run.latestState()).contains(run.file("training-state-1000000.pt"));
    assertThat(run.state(1_234_567)).hasFileName("training-state-001234.pt");
    assertThat(run.snapshot(999, "pkl")).hasFileName("network-snapshot-000000.pkl");
  }

  @Test
  void aRunThatIsStartedAgainFindsItsFolder() {
    RunDirectory.numbered(folder, "a").mark("one");
    RunDirectory second = RunDirectory.numbered(folder, "b");
    second.mark("two");
    RunDirectory.numbered(folder, "c").mark("three");

    assertThat(RunDirectory.ofRun(folder, "two").orElseThrow().path()).isEqualTo(second.path());
    assertThat(RunDirectory.ofRun(folder, "four")).isEmpty();
    assertThat(RunDirectory.latest(folder).orElseThrow().path())
        .isEqualTo(folder.resolve("00002-c"));
  }

  @Test
  void aFileInTheWayIsNamed() throws IOException {
    Path file = Files.writeString(folder.resolve("file"), "");

    assertThatThrownBy(() -> RunDirectory.of(file))
        .isInstanceOf(FileException.class)
        .hasMessageStartingWith(file.toString());
  }
}
