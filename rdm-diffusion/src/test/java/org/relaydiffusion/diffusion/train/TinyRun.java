// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.train;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.diffusion.augment.AugmentOptions;
import org.relaydiffusion.diffusion.fixture.Fixture;
import org.relaydiffusion.diffusion.loss.BlurLoss;
import org.relaydiffusion.diffusion.loss.EdmLoss;
import org.relaydiffusion.diffusion.loss.Loss;
import org.relaydiffusion.model.LoadOptions;

/** A run over a dozen pictures of 16 x 16, of a network that a step of takes milliseconds. */
record TinyRun(
    Loss loss,
    boolean augmented,
    double dropout,
    int batch,
    int perRound,
    double lossScale,
    int steps,
    Saving saving) {
  static final Saving NO_FILES =
      Saving.DEFAULT.toBuilder()
          .tickKimg(1000)
          .noSnapshots()
          .noStateTicks()
          .noStateTime()
          .noSamples()
          .build();

  /** The second stage, with everything on that draws. */
  static TinyRun blur(int steps, Saving saving) {
    return new TinyRun(BlurLoss.DEFAULT, true, 0.2, 6, 3, 1, steps, saving);
  }

  /** The first stage without dropout. */
  static TinyRun edm(int batch, int perRound, double lossScale, int steps) {
    return new TinyRun(new EdmLoss(), false, 0, batch, perRound, lossScale, steps, NO_FILES);
  }

  /** Saves every {@code steps} steps of {@code batch} images. */
  static Saving savingEvery(int steps, int batch, boolean everything) {
    Saving.Builder saving =
        NO_FILES.toBuilder()
            .tickKimg(steps * batch / 1e3)
            .snapshotFormat(Saving.SnapshotFormat.BOTH)
            .stateTicks(1);
    return everything ? saving.snapshotTicks(1).sampleTicks(1).build() : saving.build();
  }

  /** The same run, with other files. */
  TinyRun saving(Saving other) {
    return new TinyRun(loss, augmented, dropout, batch, perRound, lossScale, steps, other);
  }

  TrainingOptions options(TrainingOptions.Start start, long seed) {
    return options(start, seed, Batching.Activations.KEPT);
  }

  TrainingOptions options(
      TrainingOptions.Start start, long seed, Batching.Activations activations) {
    Map<String, @Nullable Object> kwargs = new LinkedHashMap<>();
    kwargs.put("model_type", "DhariwalUNet");
    kwargs.put("model_channels", 8L);
    kwargs.put("channel_mult", List.of(1L, 2L));
    kwargs.put("channel_mult_emb", 2L);
    kwargs.put("num_blocks", 1L);
    kwargs.put("dropout", dropout);
    Path data = Fixture.of("training/blur_accum2_cond").file("dataset.zip");
    TrainingOptions.Builder options =
        TrainingOptions.builder(data)
            .data(TrainingData.of(data).toBuilder().labels(true).xflip(true).build())
            .network(new TrainingNetwork.Arguments("EDMPrecond", kwargs))
            .loss(loss)
            .schedule(
                new TrainingSchedule(
                    steps * batch / 1e3, 1e-3, 0.01, 0.02, OptionalDouble.of(0.05)))
            .batching(new Batching(batch, OptionalInt.of(perRound), activations))
            .scaling(new TrainingOptions.LossScaling.Fixed(lossScale))
            .running(LoadOptions.EXACT)
            .saving(saving)
            .start(start)
            .seed(seed);
    return (augmented ? options.augment(AugmentOptions.training(0.5)) : options.noAugment())
        .build();
  }
}
