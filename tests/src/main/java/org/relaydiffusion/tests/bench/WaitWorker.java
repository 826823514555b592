// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.tests.bench;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.relaydiffusion.diffusion.train.Batching.Activations;
import org.relaydiffusion.diffusion.train.StepThreads;
import org.relaydiffusion.model.LoadOptions;
import org.relaydiffusion.model.ModelConfig;
import org.relaydiffusion.model.Numerics;
import org.relaydiffusion.model.Preconditioner;
import org.relaydiffusion.nativeconfig.NativeThreads;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.Generator;
import org.relaydiffusion.torch.GradMode;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;

/**
 * One process of {@link WaitBenchmark}: for each line on its input, repeats its work and responds.
 */
final class WaitWorker {
  private static final LoadOptions FAST = new LoadOptions(Numerics.FAST, DType.FLOAT32, Device.CPU);
  private static final int BATCH = 4;

  /** A special number of threads: the default of {@code rdm train}. */
  static final int AS_THE_COMMAND = -1;

  private WaitWorker() {}

  /** Serves until its input ends. */
  static void serve(String work, int threads) throws IOException {
    if (threads > 0) {
      NativeThreads.setThreads(threads);
    }
    BufferedReader in =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
    switch (work) {
      case "train" -> train(in, threads, OfficialNetworks.small(8));
      case "small" -> train(in, threads, OfficialNetworks.small(64));
      case "forward" -> forward(in);
      default -> throw new IllegalArgumentException("no such work: " + work);
    }
  }

  private static void train(BufferedReader in, int threads, Map<String, Object> network)
      throws IOException {
    ModelConfig config = ModelConfig.of("EDMPrecond", network);
    if (threads == AS_THE_COMMAND) {
      StepThreads.of(config, BATCH).ifPresent(NativeThreads::setThreads);
    }
    try (TrainRun run = new TrainRun(config, FAST, BATCH, Activations.KEPT)) {
      answer(in, run::step);
    }
  }

  private static void forward(BufferedReader in) throws IOException {
    ModelConfig config = ModelConfig.of("EDMPrecond", OfficialNetworks.adm64());
    try (GradMode _ = GradMode.noGrad();
        TensorScope _ = TensorScope.open();
        Generator generator = Generator.seeded(1);
        Preconditioner network =
            Preconditioner.load(config, ForwardBenchmark.randomState(config, generator), FAST)) {
      int r = config.resolution();
      Tensor x = generator.randn(DType.FLOAT32, BATCH, config.channels(), r, r);
      Tensor sigma = Torch.full(2, DType.FLOAT64, BATCH);
      answer(in, () -> network.denoise(x, sigma, null).close());
    }
  }

  private static void answer(BufferedReader in, Runnable step) throws IOException {
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      double least = Double.parseDouble(line);
      long start = System.nanoTime();
      int steps = 0;
      do {
        step.run();
        steps++;
      } while ((System.nanoTime() - start) / 1e9 < least);
      System.out.println((System.nanoTime() - start) / 1e9 / steps);
    }
  }
}
