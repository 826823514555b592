// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.diffusion.image.PixelValues;
import org.relaydiffusion.diffusion.image.Pixels;
import org.relaydiffusion.diffusion.sampler.Guidance;
import org.relaydiffusion.diffusion.sampler.RelaySampler;
import org.relaydiffusion.diffusion.sampler.Sampler;
import org.relaydiffusion.diffusion.sampler.StackedGenerators;
import org.relaydiffusion.model.Denoiser;
import org.relaydiffusion.model.Numerics;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.DeviceGuard;
import org.relaydiffusion.torch.Functional;
import org.relaydiffusion.torch.GradMode;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;

/**
 * Samples one batch: latents, first stage, nearest-neighbour upsampling, second stage, pixel
 * values. The generator of each image serves both stages in turn; if only the second runs, it
 * starts at the seed.
 *
 * @param plan the request and the networks
 * @param evaluation how guidance is computed
 * @param device the device of the networks
 */
record BatchSampler(RelayPlan plan, Guidance.Evaluation evaluation, Device device) {
  /** Receives each step of either stage. */
  @FunctionalInterface
  interface StageListener {
    void stepDone(Stage stage, int step, int steps);
  }

  /** Returns how guidance is computed under {@code numerics}. */
  static Guidance.Evaluation evaluation(Numerics numerics) {
    return switch (numerics) {
      case EXACT -> Guidance.Evaluation.SEPARATE;
      case FAST -> Guidance.Evaluation.BATCHED;
    };
  }

  /** Samples the images of {@code seeds}, in their order. Records no gradients. */
  List<Sample> sample(long[] seeds, StageListener listener) {
    try (var _ = DeviceGuard.on(device);
        var _ = GradMode.noGrad();
        var _ = TensorScope.open()) {
      return samples(seeds, images(seeds, listener));
    }
  }

  /** Samples the images of the last stage, float64 [N, C, H, W]. */
  Tensor images(long[] seeds, StageListener listener) {
    try (TensorScope scope = TensorScope.open();
        StackedGenerators noise = StackedGenerators.of(plan.request().noise(), device, seeds)) {
      Denoiser first = plan.first();
      Denoiser second = plan.second();
      if (second == null) {
        return scope.keep(firstStage(required(first), seeds, noise, listener));
      }
      Tensor start =
          first == null ? input(second, seeds) : upsampled(first, second, seeds, noise, listener);
      SampleRequest request = plan.request();
      Tensor labels = plan.labels().oneHot(seeds, second.labelDim(), device);
      return scope.keep(
          new RelaySampler(request.second(), evaluation)
              .sample(
                  second,
                  labels,
                  start,
                  noise,
                  (step, steps) -> listener.stepDone(Stage.SECOND, step, steps)));
    }
  }

  private static Denoiser required(@Nullable Denoiser net) {
    if (net == null) {
      throw new IllegalStateException("a plan has at least one network");
    }
    return net;
  }

  private Tensor input(Denoiser second, long[] seeds) {
    return InputImages.load(plan.request().inputs().orElseThrow(), seeds, second, device);
  }

  private Tensor upsampled(
      Denoiser first,
      Denoiser second,
      long[] seeds,
      StackedGenerators noise,
      StageListener listener) {
    try (TensorScope scope = TensorScope.open()) {
      Tensor small = firstStage(first, seeds, noise, listener);
      return scope.keep(
          Functional.upsampleNearest(small, second.resolution(), second.resolution()));
    }
  }

  /** Samples the images of the first stage, float64 [N, C, H, W] at its own resolution. */
  Tensor firstStage(Denoiser first, long[] seeds, StackedGenerators noise, StageListener listener) {
    try (TensorScope scope = TensorScope.open()) {
      Tensor latents =
          noise.randn(DType.FLOAT32, first.channels(), first.resolution(), first.resolution());
      Tensor labels = plan.labels().oneHot(seeds, first.labelDim(), device);
      return scope.keep(
          Sampler.of(plan.request().first(), evaluation)
              .sample(
                  first,
                  labels,
                  latents,
                  noise,
                  (step, steps) -> listener.stepDone(Stage.FIRST, step, steps)));
    }
  }

  private List<Sample> samples(long[] seeds, Tensor images) {
    List<Pixels> pictures = PixelValues.pictures(images);
    List<Sample> samples = new ArrayList<>(seeds.length);
    for (int k = 0; k < seeds.length; k++) {
      Pixels pixels = plan.request().enhancement().apply(pictures.get(k));
      samples.add(new Sample(seeds[k], plan.labels().of(seeds[k]), pixels));
    }
    return samples;
  }
}
