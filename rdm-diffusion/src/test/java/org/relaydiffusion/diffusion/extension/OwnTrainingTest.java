// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.extension;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.relaydiffusion.FileException;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.checkpoint.Checkpoint;
import org.relaydiffusion.checkpoint.NetworkRecord;
import org.relaydiffusion.checkpoint.StoredTensor;
import org.relaydiffusion.checkpoint.Which;
import org.relaydiffusion.diffusion.Cancellation;
import org.relaydiffusion.diffusion.RelayPipeline;
import org.relaydiffusion.diffusion.fixture.Fixture;
import org.relaydiffusion.diffusion.loss.Loss;
import org.relaydiffusion.diffusion.loss.LossCatalog;
import org.relaydiffusion.diffusion.train.RunDirectory;
import org.relaydiffusion.diffusion.train.Saving;
import org.relaydiffusion.diffusion.train.Trainer;
import org.relaydiffusion.diffusion.train.TrainingListener;
import org.relaydiffusion.diffusion.train.TrainingNetwork;
import org.relaydiffusion.diffusion.train.TrainingOptions;
import org.relaydiffusion.diffusion.train.TrainingResult;
import org.relaydiffusion.diffusion.train.World;
import org.relaydiffusion.model.LoadOptions;
import org.relaydiffusion.model.ModelConfig;
import org.relaydiffusion.model.Preconditioner;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Generator;
import org.relaydiffusion.torch.GradMode;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;

/**
 * A loss and a preconditioner that this project does not know, one class and one registration each:
 * trained, saved, resumed, opened and sampled through the public API.
 */
class OwnTrainingTest {
  private static final int BATCH = 6;
  private static final double KIMG_PER_STEP = BATCH / 1e3;
  private static final int STEPS = 4;

  @TempDir private Path folder;

  private static TrainingOptions options() {
    Loss loss = LossCatalog.installed().find("toy").orElseThrow();
    return TrainingOptions.builder(Fixture.of("training/blur_accum2_cond").file("dataset.zip"))
        .network(
            new TrainingNetwork.Arguments(loss.preconditioner(), Map.of("gain", 0.5, "width", 12L)))
        .loss(loss)
        .noAugment()
        .duration(STEPS * KIMG_PER_STEP / 1e3)
        .batch(BATCH)
        .batchPerRound(3)
        .running(LoadOptions.EXACT)
        .saving(
            Saving.DEFAULT.toBuilder()
                .tickKimg(KIMG_PER_STEP)
                .snapshotTicks(1)
                .stateTicks(1)
                .sampleTicks(1)
                .build())
        .seed(4)
        .build();
  }

  /** Cancels after some steps; the pictures and files of each tick are written too. */
  private TrainingResult train(TrainingOptions options, String name, int steps) {
    Cancellation cancellation = new Cancellation();
    TrainingListener listener =
        new TrainingListener() {
          @Override
          public void step(long images, long total) {
            if (images == (long) steps * BATCH) {
              cancellation.cancel();
            }
          }

          @Override
          public void warning(String line) {
            throw new AssertionError(line);
          }
        };
    try (RunDirectory directory = RunDirectory.of(folder.resolve(name))) {
      return Trainer.train(options, World.SINGLE, directory, listener, cancellation);
    }
  }

  @Test
  void bothAreTrainedSavedReopenedAndDenoise() {
    TrainingResult result = train(options(), "whole", STEPS + 1);

    assertThat(result.end()).isEqualTo(TrainingResult.End.FINISHED);
    assertThat(folder.resolve("whole/fakes000000.png")).exists();
    try (Checkpoint state = Checkpoint.open(result.state().orElseThrow());
        Checkpoint snapshot = Checkpoint.open(result.snapshot().orElseThrow())) {
      assertSame(snapshot.network(), state.network(Which.EMA));
      NetworkRecord record = snapshot.network();
      assertThat(record.className()).isEqualTo("ToyPrecond");
      ModelConfig config = ModelConfig.of(record.className(), record.initKwargs());
      assertThat(config.preconditioning()).isInstanceOf(ToyPreconditioner.class);
      assertThat(config.settings().real("gain")).isEqualTo(0.5);
      try (Preconditioner network = Preconditioner.load(config, record.state(), LoadOptions.EXACT);
          Generator generator = Generator.seeded(1);
          GradMode _ = GradMode.noGrad();
          TensorScope _ = TensorScope.open()) {
        Tensor x = generator.randn(DType.FLOAT32, 2, 3, 16, 16);
        Tensor denoised = network.denoise(x, Torch.scalar(0.7), null);
        assertThat(denoised.shape()).containsExactly(2, 3, 16, 16);
        for (double value : denoised.toDoubles()) {
          assertThat(value).isFinite();
        }
      }
    }
  }

  @Test
  void aCancelledRunOfBothResumesToTheSameBits() {
    Path whole = train(options(), "whole", STEPS + 1).state().orElseThrow();

    TrainingResult stopped = train(options(), "parts", 2);
    assertThat(stopped.end()).isEqualTo(TrainingResult.End.STOPPED);
    assertThat(stopped.images()).isEqualTo(2L * BATCH);
    TrainingOptions rest = options().toBuilder().resume(stopped.state().orElseThrow()).build();
    TrainingResult resumed = train(rest, "parts", STEPS + 1);

    assertThat(resumed.end()).isEqualTo(TrainingResult.End.FINISHED);
    try (Checkpoint a = Checkpoint.open(resumed.state().orElseThrow());
        Checkpoint b = Checkpoint.open(whole)) {
      for (Which which : Which.values()) {
        assertSame(a.network(which), b.network(which));
      }
    }
  }

  @Test
  void theOfficialFormatIsRefusedBeforeTraining() {
    TrainingOptions pickled =
        options().toBuilder()
            .saving(Saving.DEFAULT.toBuilder().snapshotFormat(Saving.SnapshotFormat.PKL).build())
            .build();
    assertThatThrownBy(() -> train(pickled, "run", 1))
        .isInstanceOf(OptionException.class)
        .hasMessage(
            "--snap-format=pkl is for the official code, which has no network ToyPrecond over"
                + " ToyNet: use safetensors");
    TrainingOptions official =
        pickled.toBuilder()
            .network(
                new TrainingNetwork.Arguments(
                    "EDMPrecond", Map.of("model_channels", 8L, "channel_mult", List.of(1L))))
            .build();
    assertThatThrownBy(() -> train(official, "other", 1))
        .hasMessageContaining("which has no loss toy");
  }

  /** Without the jar that provides its preconditioner, a file is refused in one line. */
  @Test
  void aFileOfAPreconditionerThatIsNotInstalledNamesIt() throws IOException {
    Path snapshot = train(options(), "run", 1).snapshot().orElseThrow();
    String bytes = Files.readString(snapshot, ISO_8859_1);
    assertThat(bytes).containsOnlyOnce("ToyPrecond");
    Path foreign = folder.resolve("foreign.safetensors");
    Files.writeString(foreign, bytes.replace("ToyPrecond", "GonePrecon"), ISO_8859_1);

    assertThatThrownBy(() -> RelayPipeline.builder().stage(foreign).load())
        .isInstanceOf(FileException.class)
        .hasMessageStartingWith(foreign + ": unknown network class 'GonePrecon': known are ")
        .hasMessageEndingWith("; others need the jar that provides them")
        .hasMessageNotContaining("\n");
  }

  private static void assertSame(NetworkRecord actual, NetworkRecord expected) {
    Map<String, StoredTensor> tensors = expected.tensors();
    assertThat(actual.tensors().keySet()).isEqualTo(tensors.keySet());
    try (TensorScope _ = TensorScope.open()) {
      tensors.forEach((name, tensor) ->
          assertThat(
                  Torch.fromData(Objects.requireNonNull(actual.tensors().get(name)).data())
                      .toDoubles())
              .as(name)
              .isEqualTo(Torch.fromData(tensor.data()).toDoubles()));
    }
  }
}
