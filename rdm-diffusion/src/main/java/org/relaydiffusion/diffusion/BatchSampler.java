// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.diffusion.guidance.Guidance;
import org.relaydiffusion.diffusion.guidance.GuidedDenoiser;
import org.relaydiffusion.diffusion.image.PixelValues;
import org.relaydiffusion.diffusion.image.Pixels;
import org.relaydiffusion.diffusion.sampler.Preview;
import org.relaydiffusion.diffusion.sampler.StackedGenerators;
import org.relaydiffusion.model.Denoiser;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.DeviceGuard;
import org.relaydiffusion.torch.Functional;
import org.relaydiffusion.torch.GradMode;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;

/**
 * Samples one batch: latents, the first stage, and for each further one nearest-neighbour
 * upsampling and its relay; then pixel values. The generator of each image serves all stages in
 * turn; if the first does not run, it starts at the seed all the same.
 *
 * @param plan the request and the networks
 * @param evaluation how guidance is computed
 * @param device the device of the networks
 */
record BatchSampler(PipelinePlan plan, Guidance.Evaluation evaluation, Device device) {
  /** Receives each step of each stage, whose index begins at 0. */
  @FunctionalInterface
  interface StageListener {
    void stepDone(int stage, int step, int steps, Preview preview);
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
      Tensor start = start(plan.stages().getFirst(), seeds, noise);
      Tensor images = images(0, seeds, start, noise, listener);
      for (int i = 1; i < plan.stages().size(); i++) {
        images = images(i, seeds, enlarged(images, plan.stages().get(i)), noise, listener);
      }
      return scope.keep(images);
    }
  }

  private Tensor start(Stage stage, long[] seeds, StackedGenerators noise) {
    return stage.index() == 0
        ? latents(stage.network(), seeds, noise)
        : InputImages.load(plan.request().inputs().orElseThrow(), seeds, stage, device);
  }

  private Tensor latents(Denoiser net, long[] seeds, StackedGenerators noise) {
    long[] shape = {net.channels(), net.resolution(), net.resolution()};
    Tensor drawn = noise.randn(DType.FLOAT32, shape);
    Latents latents = plan.request().latents();
    if (latents.equals(Latents.DRAWN)) {
      return drawn;
    }
    try (drawn;
        TensorScope scope = TensorScope.open()) {
      List<Tensor> rows = new ArrayList<>(seeds.length);
      for (int i = 0; i < seeds.length; i++) {
        Tensor row = latents.latents(seeds[i], Shapes.narrow(drawn, 0, i, 1).reshape(shape));
        if (row.dtype() != DType.FLOAT32 || !Arrays.equals(row.shape(), shape)) {
          throw new OptionException(
              "the latents of seed %s must be float32%s, but are %s"
                  .formatted(seeds[i], Arrays.toString(shape), row.describe()));
        }
        rows.add(row.to(device));
      }
      return scope.keep(Torch.stack(rows, 0));
    }
  }

  /** Enlarges the images of the stage before, and frees them. */
  private static Tensor enlarged(Tensor images, Stage stage) {
    int side = stage.network().resolution();
    try (images) {
      return Functional.upsampleNearest(images, side, side);
    }
  }

  /** Runs a stage, and frees what it starts from. */
  private Tensor images(
      int i, long[] seeds, Tensor start, StackedGenerators noise, StageListener listener) {
    Stage stage = plan.stages().get(i);
    Denoiser net = stage.network();
    try (start;
        TensorScope scope = TensorScope.open()) {
      GuidedDenoiser guided =
          Guidance.of(
              plan.request().stages().get(stage.index()).guidance(),
              net,
              stage.guide().orElse(null),
              plan.labels().oneHot(seeds, net.labelDim(), device),
              evaluation);
      return scope.keep(
          plan.solvers()
              .get(i)
              .sample(
                  guided,
                  start,
                  noise,
                  (step, steps, preview) ->
                      listener.stepDone(stage.index(), step, steps, preview)));
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
