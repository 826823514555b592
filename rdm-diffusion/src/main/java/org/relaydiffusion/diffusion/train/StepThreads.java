package org.relaydiffusion.diffusion.train;

import java.util.OptionalInt;
import org.relaydiffusion.diffusion.data.ImageFolderDataset;
import org.relaydiffusion.model.ModelConfig;
import org.relaydiffusion.model.Preconditioner;
import org.relaydiffusion.torch.Device;

/**
 * On how many threads a training step computes where nobody says so. A step is some hundred
 * operators, and for each the threads have to meet; where an operator takes less time than that,
 * one thread is as fast, and many times as fast on a machine that others use. It depends on the
 * network and the batch alone, never on the machine's load, since results differ in their last bits
 * between numbers of threads.
 */
public final class StepThreads {
  /** Parameters times pixels times images: an upper bound of the products in one pass. */
  private static final double SMALLEST = 1L << 29;

  private StepThreads() {}

  /**
   * One thread for a small step on the CPU; empty where LibTorch's own number is right.
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
   * The same for a step on the CPU.
   *
   * @param images that go through the network at once
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
