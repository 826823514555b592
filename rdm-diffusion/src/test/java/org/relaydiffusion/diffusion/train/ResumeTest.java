package org.relaydiffusion.diffusion.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
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
    Trainer.train(
        options, World.SINGLE, RunDirectory.of(folder.resolve("other")), said(said), () -> true);

    assertThat(said).anyMatch(l -> l.contains("with seed 5, was 3 the run goes on, but not as"));
    assertThat(RunStart.seedOf(state)).hasValue(3);
  }

  @Test
  void aStateOfAnotherNetworkIsRefusedByItsTensor() {
    Path state = train(new Start.Fresh(), folder, 1).state().orElseThrow();
    TrainingOptions options = TinyRun.edm(6, 6, 1, 2).options(new Start.Resume(state), 3);

    assertThatThrownBy(() ->
            Trainer.train(
                options,
                World.SINGLE,
                RunDirectory.of(folder.resolve("other")),
                TrainingListener.NONE,
                () -> false))
        .isInstanceOf(FileException.class)
        .hasMessageStartingWith(state.toString())
        .hasMessageContaining("map_augment");
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

    assertThatThrownBy(() ->
            Trainer.train(
                run().options(new Start.Resume(good), 3),
                World.SINGLE,
                RunDirectory.of(blocked),
                listener,
                () -> false))
        .isInstanceOf(RdmException.class)
        .hasMessageContaining("could not be written");
    assertThat(warnings).anyMatch(l -> l.contains("training-state-000000.pt"));
    assertThat(Files.readAllBytes(good)).isEqualTo(before);
  }

  private static TinyRun run() {
    return TinyRun.blur(STEPS, TinyRun.savingEvery(3, BATCH, true));
  }

  private static TrainingResult train(Start start, Path folder, int stopAfter) {
    AtomicInteger steps = new AtomicInteger();
    return Trainer.train(
        run().options(start, 3),
        World.SINGLE,
        RunDirectory.of(folder),
        TrainingListener.NONE,
        () -> steps.incrementAndGet() >= stopAfter);
  }

  private static TrainingListener said(List<String> lines) {
    return new TrainingListener() {
      @Override
      public void message(String line) {
        lines.add(line);
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
