// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.train;

import java.util.OptionalInt;
import org.relaydiffusion.diffusion.data.ImageFolderDataset;
import org.relaydiffusion.model.ModelConfig;
import org.relaydiffusion.model.Preconditioner;
import org.relaydiffusion.torch.Device;

/**
 * The default number of threads of a training step. A step consists of some hundreds of operators,
 * each of which synchronizes the threads; if an operator takes less time than that, a single thread
 * is as fast, and many times as fast on a busy machine. The number depends only on the network and
 * the batch size, never on the load of the machine, because it affects the last bits of results.
 */
public final class StepThreads {
  /** Parameters times pixels times images: an upper bound of the multiplications in one pass. */
  private static final double SMALLEST = 1L << 29;

  private StepThreads() {}

  /**
   * Returns one thread for a small step on the CPU; empty if LibTorch's default is better.
   *
   * @param processes of the run, which share the batch
   */
  public static OptionalInt of(TrainingOptions options, ImageFolderDataset dataset, int processes) {
    boolean onCpu = options.running().device().type() == Device.Type.CPU;
    return onCpu
        ? of(TrainingRun.config(options, dataset), options.batching().round(processes))
        : OptionalInt.empty();
  }

  /**
   * Returns the same for a step on the CPU.
   *
   * @param images number of images per round
   */
  public static OptionalInt of(ModelConfig config, int images) {
    try (Preconditioner network = Preconditioner.of(config)) {
      double pixels = (double) config.resolution() * config.resolution();
      return network.parameterCount() * pixels * images < SMALLEST
          ? OptionalInt.of(1)
          : OptionalInt.empty();
    }
  }
}
