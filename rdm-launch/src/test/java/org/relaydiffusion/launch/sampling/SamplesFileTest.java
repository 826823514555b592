// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.sampling;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.relaydiffusion.diffusion.image.PictureReader;
import org.relaydiffusion.launch.RdmRun;
import org.relaydiffusion.launch.command.ExitCode;
import org.relaydiffusion.launch.command.StopSignal;
import org.relaydiffusion.metrics.SampleArray;
import org.relaydiffusion.metrics.npy.NpyReader;
import org.relaydiffusion.torch.Tensor;

/** {@code generate --npz}: all pictures in one array, as ADM's evaluator takes them. */
class SamplesFileTest {
  @TempDir private Path folder;

  private static Map<String, String> rank(int index, int size) {
    return Map.of("RANK", String.valueOf(index), "WORLD_SIZE", String.valueOf(size));
  }

  private Path npz() {
    return folder.resolve("samples.npz");
  }

  /** The array has these seeds' pictures, as their files have them, and no mark is left. */
  private void assertHolds(Relay relay, long... seeds) throws IOException {
    try (SampleArray array = SampleArray.open(npz());
        NpyReader pass = array.pass()) {
      assertThat(array.count()).isEqualTo(seeds.length);
      assertThat(List.of(array.height(), array.width())).containsExactly(32, 32);
      for (long seed : seeds) {
        Path picture = new PictureFolder(relay.outdir()).file(seed);
        try (Tensor row = pass.read(1)) {
          assertThat(row.toBytes())
              .as("seed %s", seed)
              .isEqualTo(PictureReader.read(picture).toRgb().data());
        }
      }
    }
    try (Stream<Path> files = Files.list(relay.outdir())) {
      assertThat(files.map(f -> f.getFileName().toString())).noneMatch(n -> n.startsWith("."));
    }
  }

  @Test
  void picturesStandInTheOrderOfTheSeeds() throws IOException {
    Relay relay = Relay.conditional(folder.resolve("out"));

    RdmRun run = relay.run("--seeds=3,1-2", "--batch=1", "--npz=" + npz());

    assertThat(run.code()).as(run.err()).isZero();
    assertThat(run.out()).contains("%s: 3 images in array 'arr_0'".formatted(npz()));
    assertHolds(relay, 3, 1, 2);
    byte[] before = Files.readAllBytes(npz());
    Files.delete(npz());
    Files.delete(relay.picture("000000/000001.png"));
    RdmRun resumed = relay.run("--seeds=3,1-2", "--batch=1", "--resume", "--npz=" + npz());
    assertThat(resumed.code()).as(resumed.err()).isZero();
    assertThat(npz()).hasBinaryContent(before);
  }

  @Test
  void theFirstProcessWaitsForTheOthers() throws Exception {
    Relay relay = Relay.conditional(folder.resolve("out"));
    String[] line = {"--seeds=0-4", "--batch=1", "--npz=" + npz()};

    CompletableFuture<RdmRun> first =
        CompletableFuture.supplyAsync(() -> relay.run(rank(0, 3), line));
    RdmRun third = relay.run(rank(2, 3), line);
    assertThat(npz()).doesNotExist();
    RdmRun second = relay.run(rank(1, 3), line);

    for (RdmRun run : Arrays.asList(first.get(), second, third)) {
      assertThat(run.code()).as(run.err()).isZero();
    }
    assertHolds(relay, 0, 1, 2, 3, 4);
  }

  @Test
  void aStoppedRunLeavesNoneAndIsResumed() throws Exception {
    Relay relay = Relay.conditional(folder.resolve("out"));
    String[] line = {"--seeds=0-2", "--batch=1", "--npz=" + npz(), "--quiet"};
    StopSignal stop = new StopSignal();
    CompletableFuture<RdmRun> first =
        CompletableFuture.supplyAsync(() -> relay.run(rank(0, 2), stop, line));
    while (!Files.exists(relay.outdir().resolve(".rdm-finished-0-of-2"))) {
      assertThat(first.isDone()).isFalse();
      Thread.sleep(20);
    }
    stop.request();

    assertThat(first.get().code()).isEqualTo(ExitCode.INTERRUPTED);
    assertThat(first.get().err()).contains("to resume, run the same command with --resume");
    assertThat(npz()).doesNotExist();

    // Marks of other options are forgotten: theirs were other pictures.
    RdmRun other = relay.run(rank(1, 2), "--seeds=0-2", "--batch=1", "--class=1");
    assertThat(other.code()).as(other.err()).isZero();
    assertThat(relay.outdir().resolve(".rdm-finished-0-of-2")).doesNotExist();

    RdmRun alone = relay.run("--seeds=0-2", "--batch=1", "--npz=" + npz(), "--quiet");
    assertThat(alone.code()).as(alone.err()).isZero();
    assertHolds(relay, 0, 1, 2);
  }

  @Test
  void aFileOfAnotherKindIsNotReplaced() throws IOException {
    Relay relay = Relay.conditional(folder.resolve("out"));
    Files.writeString(npz(), "somebody's");

    RdmRun run = relay.run("--seeds=0", "--npz=" + npz());

    assertThat(run.code()).isEqualTo(1);
    assertThat(run.err())
        .contains(
            "rdm: %s: already exists and is not a valid file of samples, so it is not replaced:"
                    .formatted(npz())
                + " choose another name");
    assertThat(npz()).hasContent("somebody's");
  }
}
