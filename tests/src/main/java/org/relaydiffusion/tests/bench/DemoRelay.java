// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.tests.bench;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.LongStream;
import org.relaydiffusion.diffusion.Noise;
import org.relaydiffusion.diffusion.RelayPipeline;
import org.relaydiffusion.diffusion.SolverOptions;
import org.relaydiffusion.diffusion.guidance.Guidance;
import org.relaydiffusion.diffusion.guidance.GuidanceOptions;
import org.relaydiffusion.diffusion.guidance.GuidedDenoiser;
import org.relaydiffusion.diffusion.sampler.Solvers;
import org.relaydiffusion.diffusion.sampler.StackedGenerators;
import org.relaydiffusion.diffusion.sampler.StepListener;
import org.relaydiffusion.launch.Rdm;
import org.relaydiffusion.model.Denoiser;
import org.relaydiffusion.model.Numerics;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.Functional;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;

/**
 * The two stages of the demo, with fast numerics. Unlike in the pipeline, each stage has generators
 * of its own, so the noise that a stage starts from does not depend on the solvers.
 *
 * @param folder of their files, which are mapped
 * @param pipeline the networks
 * @param device where they are
 */
record DemoRelay(Path folder, RelayPipeline pipeline, Device device) implements AutoCloseable {
  static final int CLASSES = 8;

  /** The generators of the second stage have these seeds beyond those of the first. */
  private static final long SECOND = 1L << 31;

  /** Loads the networks. */
  static DemoRelay open(Device device) throws IOException {
    Path folder = Files.createTempDirectory("demo-relay");
    try {
      RelayPipeline.Builder builder = RelayPipeline.builder().device(device);
      for (String name : List.of("first.safetensors", "second.safetensors")) {
        Path file = folder.resolve(name);
        try (InputStream in = Rdm.class.getResourceAsStream("sampling/demo/" + name)) {
          if (in == null) {
            throw new IllegalStateException("the networks of the demo are missing");
          }
          Files.copy(in, file);
        }
        builder.stage(file);
      }
      return new DemoRelay(folder, builder.load(), device);
    } catch (IOException | RuntimeException e) {
      TemporaryFolder.delete(folder);
      throw e;
    }
  }

  /**
   * Returns the network of a stage.
   *
   * @param stage from 0
   */
  Denoiser network(int stage) {
    return pipeline.network(stage).orElseThrow();
  }

  /** Samples the images of the first stage: float64 [N, 3, 16, 16]. The class is seed mod 8. */
  Tensor first(SolverOptions options, long[] seeds) {
    try (StackedGenerators noise = StackedGenerators.of(Noise.CPU, device, seeds);
        TensorScope scope = TensorScope.open()) {
      Denoiser net = network(0);
      Tensor latents =
          noise.randn(DType.FLOAT32, net.channels(), net.resolution(), net.resolution());
      return scope.keep(sample(0, options, latents, noise, seeds));
    }
  }

  /** Samples the images of the second stage from those of the first: float64 [N, 3, 64, 64]. */
  Tensor second(SolverOptions options, Tensor small, long[] seeds) {
    long[] further = LongStream.of(seeds).map(seed -> seed + SECOND).toArray();
    try (StackedGenerators noise = StackedGenerators.of(Noise.CPU, device, further);
        TensorScope scope = TensorScope.open()) {
      int side = network(1).resolution();
      Tensor start = Functional.upsampleNearest(small, side, side);
      return scope.keep(sample(1, options, start, noise, seeds));
    }
  }

  private Tensor sample(
      int stage, SolverOptions options, Tensor start, StackedGenerators noise, long[] seeds) {
    float[] labels = new float[seeds.length * CLASSES];
    for (int i = 0; i < seeds.length; i++) {
      labels[i * CLASSES + Math.floorMod(seeds[i], CLASSES)] = 1;
    }
    try (TensorScope scope = TensorScope.open()) {
      GuidedDenoiser guided =
          Guidance.of(
              GuidanceOptions.NONE,
              network(stage),
              null,
              Torch.tensor(labels, seeds.length, CLASSES).to(device),
              Guidance.Evaluation.of(Numerics.FAST));
      return scope.keep(Solvers.of(options).sample(guided, start, noise, StepListener.NONE));
    }
  }

  @Override
  public void close() throws IOException {
    pipeline.close();
    TemporaryFolder.delete(folder);
  }
}
