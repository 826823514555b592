// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.relaydiffusion.FileException;
import org.relaydiffusion.RdmException;
import org.relaydiffusion.checkpoint.Checkpoint;
import org.relaydiffusion.checkpoint.StoredTensor;
import org.relaydiffusion.checkpoint.Which;
import org.relaydiffusion.diffusion.Cancellation;
import org.relaydiffusion.diffusion.train.TrainingOptions.Start;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;

/** A run that is stopped and goes on ends with the bits of one that was not. */
class ResumeTest {
  private static final int STEPS = 9;
  private static final int BATCH = 6;

  @TempDir private Path folder;

  @ParameterizedTest
  @ValueSource(ints = {1, 4, 8})
  void aStoppedRunEndsWithTheSameBits(int stopAfter) {
    Path whole = folder.resolve("whole");
    Path parts = folder.resolve("parts");
    TrainingResult uninterrupted = train(new Start.Fresh(), whole, Integer.MAX_VALUE);

    TrainingResult stopped = train(new Start.Fresh(), parts, stopAfter);
    assertThat(stopped.end()).isEqualTo(TrainingResult.End.STOPPED);
    assertThat(stopped.images()).isEqualTo((long) stopAfter * BATCH);
    Path state = stopped.state().orElseThrow();
    TrainingResult resumed = train(new Start.Resume(state), parts, Integer.MAX_VALUE);

    assertThat(resumed.end()).isEqualTo(TrainingResult.End.FINISHED);
    assertThat(resumed.images()).isEqualTo(uninterrupted.images());
    assertSame(resumed.state().orElseThrow(), uninterrupted.state().orElseThrow());
  }

  @Test
  void theSnapshotIsTheStatesAverage() {
    TrainingResult result = train(new Start.Fresh(), folder, Integer.MAX_VALUE);

    for (String extension : List.of("pkl", "safetensors")) {
      try (Checkpoint state = Checkpoint.open(result.state().orElseThrow());
          Checkpoint snapshot =
              Checkpoint.open(folder.resolve("network-snapshot-000000." + extension))) {
        assertSame(
            snapshot.network(Which.EMA).tensors(), state.network(Which.EMA).tensors(), extension);
      }
    }
    assertThat(folder.resolve("reals.png")).exists();
    assertThat(folder.resolve("fakes000000.png")).exists();
  }

  @Test
  void anotherSeedOrBatchGoesOnButSaysSo() {
    Path state = train(new Start.Fresh(), folder, 2).state().orElseThrow();
    List<String> said = new ArrayList<>();
    TrainingOptions options = run().options(new Start.Resume(state), 5);
    try (RunDirectory other = RunDirectory.of(folder.resolve("other"))) {
      Cancellation cancellation = new Cancellation();
      Trainer.train(options, World.SINGLE, other, said(said, cancellation), cancellation);
    }

    assertThat(said)
        .anyMatch(l -> l.equals("resuming with seed 5 instead of 3: results will differ"));
    assertThat(StoredState.read(state).seed()).hasValue(3);
    assertThat(folder.resolve("other/log.txt"))
        .content()
        .contains("state: " + state)
        .contains("resuming with seed 5 instead of 3");
  }

  @Test
  void aStateOfAnotherNetworkIsRefusedByItsTensor() {
    Path state = train(new Start.Fresh(), folder, 1).state().orElseThrow();
    TrainingOptions options = TinyRun.edm(6, 6, 1, 2).options(new Start.Resume(state), 3);

    try (RunDirectory other = RunDirectory.of(folder.resolve("other"))) {
      assertThatThrownBy(() ->
              Trainer.train(
                  options, World.SINGLE, other, TrainingListener.NONE, new Cancellation()))
          .isInstanceOf(FileException.class)
          .hasMessageStartingWith(state.toString())
          .hasMessageContaining("map_augment");
    }
  }

  @Test
  void aStateThatCannotBeWrittenIsToldAndTheLastOneStays() throws IOException {
    Path good = train(new Start.Fresh(), folder, 2).state().orElseThrow();
    byte[] before = Files.readAllBytes(good);
    // A folder of the state's name cannot be replaced by a file, whoever asks.
    Path blocked = folder.resolve("blocked");
    Files.createDirectories(blocked.resolve("training-state-000000.pt/in the way"));
    List<String> warnings = new ArrayList<>();
    TrainingListener listener =
        new TrainingListener() {
          @Override
          public void warning(String line) {
            warnings.add(line);
          }
        };

    try (RunDirectory directory = RunDirectory.of(blocked)) {
      assertThatThrownBy(() ->
              Trainer.train(
                  run().options(new Start.Resume(good), 3),
                  World.SINGLE,
                  directory,
                  listener,
                  new Cancellation()))
          .isInstanceOf(RdmException.class)
          .hasMessageContaining("could not be written");
    }
    assertThat(warnings).anyMatch(l -> l.contains("training-state-000000.pt"));
    assertThat(Files.readAllBytes(good)).isEqualTo(before);
  }

  @Test
  void statesAreSavedByTimeAndOldOnesGo() {
    Saving byTime =
        TinyRun.NO_FILES.toBuilder()
            .stateTicks(1)
            .stateTime(Duration.ofNanos(1))
            .keptStates(2)
            .build();
    // 600 images a step, so that each state has a name of its own: 0, 1, 1, 2, 3, 3 kimg.
    TinyRun large = TinyRun.edm(600, 600, 1, 6).saving(byTime);
    TrainingResult result = train(large.options(new Start.Fresh(), 3), folder, Integer.MAX_VALUE);

    assertThat(result.images()).isEqualTo(3600);
    assertThat(StateFiles.in(folder))
        .containsExactly(
            folder.resolve("training-state-000003.pt"), folder.resolve("training-state-000002.pt"));
  }

  @Test
  void eachDifferenceIsNamedAndAnotherNetworkIsRefused() {
    Path state = train(new Start.Fresh(), folder, 2).state().orElseThrow();
    StoredState stored = StoredState.read(state);
    Map<String, Object> now = new LinkedHashMap<>(stored.recorded().orElseThrow().options());
    now.put("total_kimg", 7.0);
    now.put("ema_halflife_kimg", 0.5);
    now.put("loss_kwargs", Map.of("class_name", "training.loss.EDMLoss"));
    OptionDifferences differences =
        OptionDifferences.between(stored.recorded().orElseThrow().options(), now);

    assertThat(differences.text(OptionDifferences.Effect.NETWORK)).isEmpty();
    assertThat(differences.text(OptionDifferences.Effect.NONE))
        .contains("total_kimg 7.0 instead of 0.054");
    assertThat(differences.text(OptionDifferences.Effect.RESULTS))
        .hasValueSatisfying(text ->
            assertThat(text)
                .contains("ema_halflife_kimg 0.5 instead of 0.02")
                .contains("loss_kwargs.class_name training.loss.EDMLoss instead of")
                .contains("loss_kwargs.prob_length none instead of 0.93"));

    now.put("network_kwargs", Map.of("class_name", "training.networks.EDMPrecond"));
    assertThatThrownBy(() ->
            OptionDifferences.between(stored.recorded().orElseThrow().options(), now).refuse(state))
        .isInstanceOf(FileException.class)
        .hasMessageStartingWith(state + ": is of another network")
        .hasMessageContaining("network_kwargs.model_channels none instead of 8");
  }

  @Test
  void aDamagedStateIsPassedOverAndNamed() throws IOException {
    Path good = train(new Start.Fresh(), folder, 2).state().orElseThrow();
    byte[] bytes = Files.readAllBytes(good);
    Path cut = Files.write(folder.resolve("training-state-000002.pt"), Arrays.copyOf(bytes, 999));
    // A single bit of a weight, which only its checksum tells.
    bytes[bytes.length / 2] ^= 1;
    Path flipped = Files.write(folder.resolve("training-state-000001.pt"), bytes);

    StateSearch search = StateSearch.in(folder);

    assertThat(search.state().orElseThrow().file()).isEqualTo(good);
    assertThat(search.damaged()).hasSize(2);
    assertThat(search.damaged().get(0)).startsWith(cut.toString());
    assertThat(search.damaged().get(1)).startsWith(flipped.toString());
    assertThat(StateFiles.setAsideLater(folder, Optional.of(good))).hasSize(2);
    assertThat(StateFiles.in(folder)).containsExactly(good);
    assertThat(folder.resolve("training-state-000002.pt.aside")).exists();
  }

  /** What cannot be opened may be whole: nobody can say that it is damaged. */
  @Test
  void aStateThatCannotBeOpenedIsNotPassedOver() throws IOException {
    train(new Start.Fresh(), folder, 2);
    Path newest = folder.resolve("training-state-000002.pt");
    Files.createSymbolicLink(newest, newest.getFileName()); // Leads to itself.

    assertThatThrownBy(() -> StateSearch.in(folder))
        .isInstanceOf(FileException.class)
        .hasMessageStartingWith(newest + ": cannot be read: ");
    Files.delete(newest);
    Files.createSymbolicLink(newest, folder.resolve("deleted"));
    assertThat(StateSearch.in(folder).state()).isPresent();
  }

  private static TinyRun run() {
    return TinyRun.blur(STEPS, TinyRun.savingEvery(3, BATCH, true));
  }

  private static TrainingResult train(Start start, Path folder, int stopAfter) {
    return train(run().options(start, 3), folder, stopAfter);
  }

  private static TrainingResult train(TrainingOptions options, Path folder, int stopAfter) {
    AtomicInteger steps = new AtomicInteger();
    Cancellation cancellation = new Cancellation();
    try (RunDirectory directory = RunDirectory.of(folder)) {
      TrainingListener listener =
          new TrainingListener() {
            @Override
            public void step(long images, long total) {
              if (steps.incrementAndGet() == stopAfter) {
                cancellation.cancel();
              }
            }
          };
      return Trainer.train(options, World.SINGLE, directory, listener, cancellation);
    }
  }

  /** Keeps the messages of a run, which ends after one step. */
  private static TrainingListener said(List<String> lines, Cancellation cancellation) {
    return new TrainingListener() {
      @Override
      public void message(String line) {
        lines.add(line);
      }

      @Override
      public void step(long images, long total) {
        cancellation.cancel();
      }
    };
  }

  /** Networks, moments, generators and all else. */
  static void assertSame(Path actual, Path expected) {
    try (Checkpoint a = Checkpoint.open(actual);
        Checkpoint e = Checkpoint.open(expected)) {
      assertThat(a.step()).isEqualTo(e.step());
      for (Which which : Which.values()) {
        assertSame(a.network(which).tensors(), e.network(which).tensors(), which.key());
      }
      var moments = e.optimizer().orElseThrow().parameters();
      assertThat(a.optimizer().orElseThrow().parameters().keySet()).isEqualTo(moments.keySet());
      moments.forEach((i, state) ->
          assertSame(
              Objects.requireNonNull(a.optimizer().orElseThrow().parameters().get(i)).tensors(),
              state.tensors(),
              "moments of parameter " + i));
      assertThat(ResumePoint.of(a).orElseThrow().host())
          .usingRecursiveComparison()
          .isEqualTo(ResumePoint.of(e).orElseThrow().host());
      assertThat(ResumePoint.of(a).orElseThrow().progress())
          .isEqualTo(ResumePoint.of(e).orElseThrow().progress());
    }
  }

  private static void assertSame(
      Map<String, StoredTensor> actual, Map<String, StoredTensor> expected, String what) {
    assertThat(actual.keySet()).as(what).isEqualTo(expected.keySet());
    expected.forEach((name, tensor) -> {
      try (var _ = TensorScope.open()) {
        Tensor a = Torch.fromData(Objects.requireNonNull(actual.get(name)).data());
        Tensor e = Torch.fromData(tensor.data());
        assertThat(a.shape()).as("%s %s", what, name).isEqualTo(e.shape());
        assertThat(a.toDoubles()).as("%s %s", what, name).isEqualTo(e.toDoubles());
      }
    });
  }
}
