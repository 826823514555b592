// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.train;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.relaydiffusion.diffusion.Cancellation;
import org.relaydiffusion.diffusion.fixture.Fixture;
import org.relaydiffusion.diffusion.loss.EdmLoss;
import org.relaydiffusion.diffusion.loss.VpLoss;
import org.relaydiffusion.model.LoadOptions;

/** Training through the public API; the section "From Java" of docs/training.md has its code. */
class FromJavaTest {
  private static final Path PAGE = Path.of("..", "docs", "training.md");
  private static final Path SOURCE =
      Path.of("src/test/java/org/relaydiffusion/diffusion/train/FromJavaTest.java");

  @TempDir private Path folder;

  private static TrainingOptions documented(Path data) {
    TrainingOptions options =
        TrainingOptions.builder(data)
            .conditional(true)
            .network(TrainingNetwork.of("EDMPrecond", NetworkPreset.ADM))
            .loss(new EdmLoss())
            .duration(20)
            .batch(256)
            .batchPerRound(32)
            .saving(Saving.DEFAULT.toBuilder().keptStates(3).build())
            .build();
    return options;
  }

  /** The documented options with a small network and few images. */
  private static TrainingOptions small() {
    TrainingOptions options =
        documented(Fixture.of("training/blur_accum2_cond").file("dataset.zip"));
    NetworkPreset.Changes changes =
        NetworkPreset.Changes.NONE.toBuilder()
            .channelBase(8)
            .channelMultipliers(List.of(1, 2))
            .blocks(1)
            .build();
    return options.toBuilder()
        .network(new TrainingNetwork.Preset("EDMPrecond", NetworkPreset.ADM, changes, Map.of()))
        .duration(0.000018)
        .batch(6)
        .batchPerRound(3)
        .running(LoadOptions.EXACT)
        .seed(2)
        .build();
  }

  private TrainingResult train(
      TrainingOptions options, TrainingListener listener, Cancellation cancellation) {
    try (RunDirectory directory = RunDirectory.numbered(folder, "faces")) {
      return Trainer.train(options, World.SINGLE, directory, listener, cancellation);
    }
  }

  @Test
  void aRunIsTrainedCancelledAndResumed() {
    Path outdir = folder;
    TrainingOptions options = small();
    Cancellation cancellation = new Cancellation();
    try (RunDirectory directory = RunDirectory.numbered(outdir, "faces")) {
      TrainingResult result =
          Trainer.train(options, World.SINGLE, directory, TrainingListener.NONE, cancellation);
      assertThat(result.end()).isEqualTo(TrainingResult.End.FINISHED);
      assertThat(result.images()).isEqualTo(18);
      assertThat(result.snapshot().orElseThrow()).exists();
    }
    TrainingListener cancelling =
        new TrainingListener() {
          @Override
          public void step(long images, long total) {
            cancellation.cancel();
          }
        };
    TrainingResult result = train(options, cancelling, cancellation);
    assertThat(result.end()).isEqualTo(TrainingResult.End.STOPPED);
    assertThat(result.images()).isEqualTo(6);
    TrainingOptions rest = options.toBuilder().resume(result.state().orElseThrow()).build();
    TrainingResult resumed = train(rest, TrainingListener.NONE, new Cancellation());
    assertThat(resumed.end()).isEqualTo(TrainingResult.End.FINISHED);
    assertThat(resumed.images()).isEqualTo(18);
    ResumeTest.assertSame(
        resumed.state().orElseThrow(),
        folder.resolve("00000-faces").resolve("training-state-000000.pt"));
  }

  @Test
  void whatIsNotSetIsTheDefault() {
    TrainingOptions options = documented(Path.of("faces.zip"));

    assertThat(options.data())
        .isEqualTo(TrainingData.of(Path.of("faces.zip")).toBuilder().labels(true).build());
    assertThat(options.schedule())
        .isEqualTo(TrainingSchedule.DEFAULT.toBuilder().totalKimg(20_000).build());
    assertThat(options.batching())
        .isEqualTo(new Batching(256, OptionalInt.of(32), Batching.Activations.KEPT));
    assertThat(options.saving().snapshotTicks()).isEqualTo(Saving.DEFAULT.snapshotTicks());
    assertThat(options.start()).isEqualTo(new TrainingOptions.Start.Fresh());
    assertThat(options.toBuilder().build()).isEqualTo(options);
    assertThat(options.toBuilder().noAugment().build()).isNotEqualTo(options);
  }

  @Test
  void theNetworkIsThatOfTheLossUnlessGiven() {
    TrainingOptions.Builder builder = TrainingOptions.builder(Path.of("a.zip"));
    assertThat(builder.build().network().className()).isEqualTo("EDMPrecond");
    assertThat(builder.loss(new VpLoss()).build().network())
        .isEqualTo(TrainingNetwork.of("VPPrecond", NetworkPreset.ADM));
  }

  /** A network whose weights are given does not need a short half-life at first. */
  @Test
  void aTransferHasNoLimitOfTheHalfLife() {
    TrainingOptions options =
        TrainingOptions.builder(Path.of("a.zip")).transfer(Path.of("a.pkl")).build();
    assertThat(options.start()).isEqualTo(new TrainingOptions.Start.Transfer(Path.of("a.pkl")));
    assertThat(options.schedule().emaRampupRatio()).isEqualTo(OptionalDouble.empty());
  }

  @Test
  void thePageHasThisCode() throws IOException {
    String page = Files.readString(PAGE);
    Matcher code =
        Pattern.compile("```java\n(.*?)```", Pattern.DOTALL)
            .matcher(page.substring(page.indexOf("\n## From Java\n")));
    String tested = squeezed(Files.readString(SOURCE));
    int blocks = 0;
    while (code.find()) {
      blocks++;
      String block = squeezed(Objects.requireNonNull(code.group(1)));
      // A block that this test goes on in is compared up to its end.
      assertThat(tested)
          .contains(block.endsWith("}") ? block.substring(0, block.length() - 2) : block);
    }
    assertThat(blocks).isEqualTo(3);
  }

  private static String squeezed(String text) {
    return text.replaceAll("\\s+", " ").strip();
  }
}
