// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.LongConsumer;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.relaydiffusion.CancelledException;
import org.relaydiffusion.RdmException;
import org.relaydiffusion.checkpoint.Checkpoint;
import org.relaydiffusion.checkpoint.Which;
import org.relaydiffusion.diffusion.Cancellation;
import org.relaydiffusion.diffusion.fixture.Fixture;
import org.relaydiffusion.diffusion.train.TrainingOptions.NonFiniteLoss;
import org.relaydiffusion.diffusion.train.TrainingOptions.Start;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;

/** Whatever ends a run early, what it has learned is saved, and only what is good. */
class StoppedTrainingTest {
  private static final int STEPS = 8;
  static final int BATCH = 6;

  @TempDir private Path folder;

  private final List<String> warnings = new ArrayList<>();

  private TrainingResult train(TrainingOptions options, String name, LongConsumer afterStep) {
    return train(options, name, afterStep, new Cancellation());
  }

  private TrainingResult train(
      TrainingOptions options, String name, LongConsumer afterStep, Cancellation cancellation) {
    TrainingListener listener =
        new TrainingListener() {
          @Override
          public void step(long images, long total) {
            afterStep.accept(images);
          }

          @Override
          public void warning(String line) {
            warnings.add(line);
          }
        };
    try (RunDirectory directory = RunDirectory.of(folder.resolve(name))) {
      return Trainer.train(options, World.SINGLE, directory, listener, cancellation);
    }
  }

  private static TrainingOptions options(Start start, Saving saving) {
    return TinyRun.blur(STEPS, saving).options(start, 3);
  }

  /** States only at the end, or everything after each step. */
  @ParameterizedTest
  @EnumSource(Kept.class)
  void anInterruptSavesAndStopsAndStaysSet(Kept files) {
    Path whole =
        train(options(new Start.Fresh(), files.saving), "whole", _ -> {}).state().orElseThrow();

    TrainingResult stopped =
        train(
            options(new Start.Fresh(), files.saving),
            "parts",
            images -> {
              if (images == 3 * BATCH) {
                Thread.currentThread().interrupt();
              }
            });

    assertThat(Thread.interrupted()).isTrue();
    assertThat(stopped.end()).isEqualTo(TrainingResult.End.STOPPED);
    assertThat(stopped.images()).isEqualTo(3 * BATCH);
    assertThat(warnings).isEmpty();
    Start resume = new Start.Resume(stopped.state().orElseThrow());
    TrainingResult resumed = train(options(resume, files.saving), "parts", _ -> {});
    ResumeTest.assertSame(resumed.state().orElseThrow(), whole);
  }

  enum Kept {
    FEW(TinyRun.savingEvery(STEPS, BATCH, false)),
    MANY(TinyRun.savingEvery(1, BATCH, true));

    @SuppressWarnings("ImmutableEnumChecker") // Records of values.
    private final Saving saving;

    Kept(Saving saving) {
      this.saving = saving;
    }
  }

  /** What cancels sampling cancels training, from any thread, and saves what a signal saves. */
  @ParameterizedTest
  @EnumSource(Kept.class)
  void aCancelledRunSavesAndStopsAndEndsWithTheSameBits(Kept files) {
    Path whole =
        train(options(new Start.Fresh(), files.saving), "whole", _ -> {}).state().orElseThrow();
    Cancellation cancellation = new Cancellation();

    TrainingResult stopped =
        train(
            options(new Start.Fresh(), files.saving),
            "parts",
            images -> {
              if (images == 3 * BATCH) {
                inAnotherThread(cancellation::cancel);
              }
            },
            cancellation);

    assertThat(Thread.interrupted()).isFalse();
    assertThat(stopped.end()).isEqualTo(TrainingResult.End.STOPPED);
    assertThat(stopped.images()).isEqualTo(3 * BATCH);
    assertThat(warnings).isEmpty();
    Start resume = new Start.Resume(stopped.state().orElseThrow());
    TrainingResult resumed = train(options(resume, files.saving), "parts", _ -> {});
    ResumeTest.assertSame(resumed.state().orElseThrow(), whole);
  }

  private static void inAnotherThread(Runnable work) {
    Thread thread = Thread.ofPlatform().start(work);
    while (thread.isAlive()) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        throw new IllegalStateException(e);
      }
    }
  }

  @Test
  void aRunCancelledBeforeTheFirstStepLeavesNothingBehind() {
    Cancellation cancellation = new Cancellation();
    cancellation.cancel();
    assertThatThrownBy(
            () -> train(options(new Start.Fresh(), TinyRun.NO_FILES), "run", _ -> {}, cancellation))
        .isInstanceOf(CancelledException.class);
    assertThat(Thread.interrupted()).isFalse();
    assertThat(folder.resolve("run/training-state-000000.pt")).doesNotExist();
  }

  @Test
  void anInterruptWhileFilesAreWrittenCutsNoneShort() {
    TrainingListener interrupting =
        new TrainingListener() {
          @Override
          public void tick(TickReport report) {
            Thread.currentThread().interrupt();
          }

          @Override
          public void warning(String line) {
            warnings.add(line);
          }
        };

    TrainingResult stopped;
    try (RunDirectory directory = RunDirectory.of(folder.resolve("run"))) {
      stopped =
          Trainer.train(
              options(new Start.Fresh(), TinyRun.savingEvery(1, BATCH, true)),
              World.SINGLE,
              directory,
              interrupting,
              new Cancellation());
    }

    assertThat(Thread.interrupted()).isTrue();
    assertThat(warnings).isEmpty();
    assertThat(stopped.end()).isEqualTo(TrainingResult.End.STOPPED);
    assertThat(stopped.images()).isEqualTo(2 * BATCH);
    assertThat(stopped.state().orElseThrow()).exists();
    assertThat(folder.resolve("run/fakes000000.png")).exists();
    assertThat(folder.resolve("run/network-snapshot-000000.pkl")).exists();
  }

  @Test
  void anInterruptBeforeTheFirstStepLeavesNothingBehind() {
    Thread.currentThread().interrupt();
    assertThatThrownBy(() -> train(options(new Start.Fresh(), TinyRun.NO_FILES), "run", _ -> {}))
        .isInstanceOf(CancelledException.class);
    assertThat(Thread.interrupted()).isTrue();
    assertThat(folder.resolve("run/training-state-000000.pt")).doesNotExist();
  }

  @Test
  void aPictureThatIsGoneSavesTheStateAndIsNamed() throws IOException {
    Path data = unpacked();
    Path whole = train(of(data, new Start.Fresh()), "whole", _ -> {}).state().orElseThrow();
    List<Path> hidden = new ArrayList<>();

    assertThatThrownBy(() ->
            train(
                of(data, new Start.Fresh()),
                "parts",
                images -> {
                  if (images == BATCH) {
                    hidden.addAll(hide(data));
                  }
                }))
        .isInstanceOf(RdmException.class)
        .hasMessageMatching("\\Q" + data + "\\E/.+\\.png: .+; the state is saved as .+\\.pt");

    assertThat(hidden).isNotEmpty();
    hidden.forEach(StoppedTrainingTest::show);
    Path state = folder.resolve("parts/training-state-000000.pt");
    TrainingResult resumed = train(of(data, new Start.Resume(state)), "parts", _ -> {});
    ResumeTest.assertSame(resumed.state().orElseThrow(), whole);
  }

  @Test
  void aPictureThatIsGoneFromTheStartIsNamedAndNothingIsSaved() throws IOException {
    Path data = unpacked();
    // The first one stays, so that the data set opens.
    hide(data).stream().skip(1).forEach(p -> write(p, new byte[5]));
    try (Stream<Path> all = Files.walk(data)) {
      all.filter(p -> p.toString().endsWith(".gone")).toList().forEach(StoppedTrainingTest::show);
    }

    assertThatThrownBy(() -> train(of(data, new Start.Fresh()), "run", _ -> {}))
        .isInstanceOf(RdmException.class)
        .hasMessageStartingWith(data.toString())
        .hasMessageContaining(".png: ")
        .hasMessageNotContaining("state");
    assertThat(folder.resolve("run/training-state-000000.pt")).doesNotExist();
  }

  @Test
  void lossesThatAreNotFiniteAreCountedAtTheirTick() {
    train(exploding(NonFiniteLoss.REPORT), "run", _ -> {});

    // Rounds of 3 images: two losses a step, a tick a step.
    assertThat(warnings)
        .contains("2 of 2 losses since the last status line were infinite or NaN")
        .hasSizeLessThan(STEPS);
    assertThat(folder.resolve("run/log.txt")).content().contains("warning: 2 of 2 losses");
  }

  @Test
  void gradientsThatOverflowUnderAScaledLossAreNotMeant() {
    TrainingOptions o = TinyRun.edm(BATCH, 3, 1e38, 3).options(new Start.Fresh(), 3);
    train(o.toBuilder().nonFiniteLoss(NonFiniteLoss.STOP).build(), "run", _ -> {});
    assertThat(warnings).isEmpty();
  }

  @Test
  void aRunThatStopsOnNanKeepsTheLastGoodStateAndNamesIt() {
    assertThatThrownBy(() -> train(exploding(NonFiniteLoss.STOP), "run", _ -> {}))
        .isInstanceOf(RdmException.class)
        .hasMessageContaining("infinite or NaN (--stop-on-nan); no state is saved, ")
        .hasMessageEndingWith(
            "the last good state is " + folder.resolve("run/training-state-000000.pt"));
    // Its weights are as large as the learning rate, but numbers.
    try (Checkpoint state = Checkpoint.open(folder.resolve("run/training-state-000000.pt"));
        var _ = TensorScope.open()) {
      state
          .network(Which.EMA)
          .tensors()
          .forEach((name, tensor) ->
              assertThat(Torch.fromData(tensor.data()).toDoubles())
                  .as(name)
                  .doesNotContain(Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY));
    }
  }

  @Test
  void aRunWithGoodLossesDoesNotStopOnNan() {
    TrainingOptions o = options(new Start.Fresh(), TinyRun.savingEvery(1, BATCH, true));
    TrainingResult result =
        train(o.toBuilder().nonFiniteLoss(NonFiniteLoss.STOP).build(), "run", _ -> {});
    assertThat(result.end()).isEqualTo(TrainingResult.End.FINISHED);
    assertThat(warnings).isEmpty();
  }

  /** A learning rate that throws the weights out of all bounds. */
  private static TrainingOptions exploding(NonFiniteLoss reaction) {
    TrainingOptions o = options(new Start.Fresh(), TinyRun.savingEvery(1, BATCH, false));
    return o.toBuilder().learningRate(1e37).nonFiniteLoss(reaction).build();
  }

  static TrainingOptions of(Path data, Start start) {
    TrainingOptions o = options(start, TinyRun.savingEvery(STEPS, BATCH, false));
    return o.toBuilder().data(o.data().toBuilder().path(data).cache(false).build()).build();
  }

  private Path unpacked() throws IOException {
    return unpacked(folder.resolve("data"));
  }

  static Path unpacked(Path data) throws IOException {
    Path zip = Fixture.of("training/blur_accum2_cond").file("dataset.zip");
    try (InputStream in = Files.newInputStream(zip);
        ZipInputStream members = new ZipInputStream(in)) {
      for (ZipEntry e = members.getNextEntry(); e != null; e = members.getNextEntry()) {
        Path file = data.resolve(e.getName());
        Files.createDirectories(file.getParent());
        Files.write(file, members.readAllBytes());
      }
    }
    return data;
  }

  /** Takes all pictures away; returns where they are. */
  static List<Path> hide(Path data) {
    List<Path> hidden = new ArrayList<>();
    try (Stream<Path> all = Files.walk(data)) {
      all.filter(p -> p.toString().endsWith(".png")).toList().forEach(moving(hidden));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return hidden;
  }

  private static Consumer<Path> moving(List<Path> hidden) {
    return p -> {
      Path to = p.resolveSibling(p.getFileName() + ".gone");
      move(p, to);
      hidden.add(to);
    };
  }

  private static void show(Path hidden) {
    move(hidden, hidden.resolveSibling(hidden.getFileName().toString().replace(".gone", "")));
  }

  private static void move(Path from, Path to) {
    try {
      Files.move(from, to);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void write(Path file, byte[] bytes) {
    try {
      Files.write(file, bytes);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
