// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.train;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.diffusion.augment.AugmentOptions;
import org.relaydiffusion.diffusion.fixture.Fixture;
import org.relaydiffusion.diffusion.loss.BlurLoss;
import org.relaydiffusion.diffusion.loss.EdmLoss;
import org.relaydiffusion.diffusion.loss.Loss;
import org.relaydiffusion.model.LoadOptions;
import org.relaydiffusion.torch.optim.AdamOptions;

/** A run over a dozen pictures of 16 x 16, of a network that a step of takes milliseconds. */
record TinyRun(
    Loss loss,
    boolean augmented,
    double dropout,
    int batch,
    int perRound,
    double lossScale,
    int steps,
    TrainingOptions.Saving saving) {
  static final TrainingOptions.Saving NO_FILES =
      new TrainingOptions.Saving(
          1000,
          OptionalInt.empty(),
          TrainingOptions.SnapshotFormat.SAFETENSORS,
          OptionalInt.empty(),
          Optional.empty(),
          OptionalInt.empty(),
          OptionalInt.empty());

  /** The second stage, with everything on that draws. */
  static TinyRun blur(int steps, TrainingOptions.Saving saving) {
    return new TinyRun(new BlurLoss(0.15, 4, 0.93, 3), true, 0.2, 6, 3, 1, steps, saving);
  }

  /** The first stage without dropout. */
  static TinyRun edm(int batch, int perRound, double lossScale, int steps) {
    return new TinyRun(new EdmLoss(), false, 0, batch, perRound, lossScale, steps, NO_FILES);
  }

  /** Saves every {@code steps} steps of {@code batch} images. */
  static TrainingOptions.Saving savingEvery(int steps, int batch, boolean everything) {
    OptionalInt every = OptionalInt.of(1);
    return new TrainingOptions.Saving(
        steps * batch / 1e3,
        everything ? every : OptionalInt.empty(),
        TrainingOptions.SnapshotFormat.BOTH,
        every,
        Optional.empty(),
        OptionalInt.empty(),
        everything ? every : OptionalInt.empty());
  }

  /** The same run, with other files. */
  TinyRun saving(TrainingOptions.Saving other) {
    return new TinyRun(loss, augmented, dropout, batch, perRound, lossScale, steps, other);
  }

  TrainingOptions options(TrainingOptions.Start start, long seed) {
    return options(start, seed, TrainingOptions.Activations.KEPT);
  }

  TrainingOptions options(
      TrainingOptions.Start start, long seed, TrainingOptions.Activations activations) {
    Map<String, @Nullable Object> kwargs = new LinkedHashMap<>();
    kwargs.put("model_type", "DhariwalUNet");
    kwargs.put("model_channels", 8L);
    kwargs.put("channel_mult", List.of(1L, 2L));
    kwargs.put("channel_mult_emb", 2L);
    kwargs.put("num_blocks", 1L);
    kwargs.put("dropout", dropout);
    return new TrainingOptions(
        new TrainingOptions.Data(
            Fixture.of("training/blur_accum2_cond").file("dataset.zip"),
            true,
            true,
            OptionalInt.empty(),
            true,
            1),
        new TrainingOptions.Network("EDMPrecond", kwargs),
        loss,
        augmented ? Optional.of(AugmentOptions.training(0.5)) : Optional.empty(),
        AdamOptions.DEFAULT,
        new TrainingSchedule(steps * batch / 1e3, 1e-3, 0.01, 0.02, OptionalDouble.of(0.05)),
        new TrainingOptions.Batching(batch, OptionalInt.of(perRound), activations),
        new TrainingOptions.LossScaling.Fixed(lossScale),
        LoadOptions.EXACT,
        saving,
        TrainingOptions.NonFiniteLoss.REPORT,
        start,
        seed);
  }
}
