// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.train;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.diffusion.EdmOptions;
import org.relaydiffusion.diffusion.RelayOptions;
import org.relaydiffusion.diffusion.data.ImageFolderDataset;
import org.relaydiffusion.diffusion.guidance.PlainDenoiser;
import org.relaydiffusion.diffusion.image.ContactSheet;
import org.relaydiffusion.diffusion.image.PixelValues;
import org.relaydiffusion.diffusion.image.Pixels;
import org.relaydiffusion.diffusion.loss.BlurLoss;
import org.relaydiffusion.diffusion.loss.Loss;
import org.relaydiffusion.diffusion.sampler.HeunSolver;
import org.relaydiffusion.diffusion.sampler.RelaySolver;
import org.relaydiffusion.diffusion.sampler.StackedGenerators;
import org.relaydiffusion.diffusion.sampler.StepListener;
import org.relaydiffusion.model.Denoiser;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.Functional;
import org.relaydiffusion.torch.GradMode;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;

/**
 * The images that show the progress of a run, always with the same seeds and classes. A second
 * stage is shown on its own, starting from downsampled images of the data set. The generators of
 * training are not advanced.
 */
final class SampleGrid {
  private static final int SIDE = 4;
  private static final int COUNT = SIDE * SIDE;
  private static final int STEPS = 18;

  private final ImageFolderDataset dataset;
  private final Loss loss;
  private final Device device;
  private final int[] items;

  SampleGrid(ImageFolderDataset dataset, Loss loss, Device device) {
    this.dataset = dataset;
    this.loss = loss;
    this.device = device;
    int n = Math.min(COUNT, dataset.size());
    // Spread over the set, which is often sorted by class.
    items = IntStream.range(0, n).map(i -> (int) ((long) i * dataset.size() / n)).toArray();
  }

  /** Returns images of the data set. */
  Pixels reals() {
    try (var _ = TensorScope.open()) {
      return sheet(images());
    }
  }

  /** Returns the network's samples for the classes of {@link #reals()}. */
  Pixels fakes(Denoiser network) {
    long[] seeds = IntStream.range(0, items.length).asLongStream().toArray();
    try (var _ = GradMode.noGrad();
        var _ = TensorScope.open();
        StackedGenerators noise = StackedGenerators.of(device, seeds)) {
      return sheet(
          switch (loss) {
            case BlurLoss blur -> relay(network, blur, noise);
            default -> edm(network, noise);
          });
    }
  }

  private Tensor edm(Denoiser network, StackedGenerators noise) {
    Tensor latents =
        noise.randn(DType.FLOAT32, network.channels(), network.resolution(), network.resolution());
    return new HeunSolver(EdmOptions.DEFAULT.toBuilder().numSteps(STEPS).build())
        .sample(new PlainDenoiser(network, labels()), latents, noise, StepListener.NONE);
  }

  private Tensor relay(Denoiser network, BlurLoss blur, StackedGenerators noise) {
    int r = network.resolution();
    Tensor small = Functional.averagePool(images().to(DType.FLOAT64), blur.upScale());
    RelayOptions options =
        RelayOptions.DEFAULT.toBuilder()
            .numSteps(STEPS)
            .upScale(blur.upScale())
            .truncationT(blur.probLength())
            .blockNoise(blur.blockScale())
            .blurSigmaMax(blur.blurSigmaMax())
            .build();
    Tensor start = Functional.upsampleNearest(small, r, r);
    return new RelaySolver(options)
        .sample(new PlainDenoiser(network, labels()), start, noise, StepListener.NONE);
  }

  /** float32 [N, C, H, W] in [-1, 1]. */
  private Tensor images() {
    List<Tensor> images = new ArrayList<>();
    int r = dataset.resolution();
    for (int item : items) {
      images.add(
          Torch.tensor(dataset.image(item), dataset.channels(), r, r)
              .to(DType.FLOAT32)
              .div(127.5)
              .sub(Torch.scalar(1.0)));
    }
    return Torch.stack(images, 0).to(device);
  }

  private @Nullable Tensor labels() {
    int classes = dataset.labelDim();
    if (classes == 0) {
      return null;
    }
    float[] rows = new float[items.length * classes];
    for (int i = 0; i < items.length; i++) {
      System.arraycopy(dataset.label(items[i]), 0, rows, i * classes, classes);
    }
    return Torch.tensor(rows, items.length, classes).to(device);
  }

  private static Pixels sheet(Tensor images) {
    List<Pixels> pictures = PixelValues.pictures(images.to(DType.FLOAT64));
    return ContactSheet.nearSquare(pictures.size()).of(pictures);
  }
}
