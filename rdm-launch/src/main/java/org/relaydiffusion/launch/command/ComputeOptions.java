// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.command;

import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.IntSupplier;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.launch.rank.Rank;
import org.relaydiffusion.model.Numerics;
import org.relaydiffusion.torch.CudaPrecision;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.Torch;
import picocli.CommandLine.Option;

/** The device of the networks, the numerics, the precision, and the number of threads. */
public final class ComputeOptions {
  private static final String AUTO = "auto";
  private static final String CUDA = "cuda";

  @Option(
      names = "--device",
      paramLabel = "auto|cpu|cuda[:N]",
      completionCandidates = Candidates.Devices.class,
      description =
          "The device of the networks; auto is cuda if LibTorch can use a GPU, otherwise cpu;"
              + " with several"
              + " processes, 'cuda' is the GPU of each process's local rank. Default:"
              + " ${DEFAULT-VALUE}.",
      defaultValue = AUTO)
  public String device = AUTO;

  @Option(
      names = "--numerics",
      paramLabel = "exact|fast",
      completionCandidates = Candidates.NumericsNames.class,
      description =
          "exact performs the reference's operations in its order; fast uses faster equivalents,"
              + " which"
              + " round differently. Default: ${DEFAULT-VALUE}.",
      defaultValue = "fast")
  public Numerics numerics = Numerics.FAST;

  @Option(
      names = "--threads",
      paramLabel = "N",
      description =
          "Number of threads of an operator, 1 to 1024; 0 uses LibTorch's default."
              + " Default: ${DEFAULT-VALUE}.",
      defaultValue = "0")
  public int threads;

  @Option(
      names = "--tf32",
      paramLabel = "on|off",
      completionCandidates = Candidates.Switches.class,
      description =
          "Whether CUDA may round the operands of float32 convolutions and matrix products to"
              + " TensorFloat-32, which is faster; no effect on the CPU. Default: off; when"
              + " sampling, in convolutions only, as in PyTorch.")
  public @Nullable Switch tf32;

  /**
   * Returns the device. For {@code auto}, this loads LibTorch to determine whether it can use a
   * GPU.
   *
   * <p>With several processes on a node, {@code cuda} without a number is the GPU with the number
   * of the process's local rank. If only one GPU is visible to each process, as with Slurm's {@code
   * --gpus-per-task=1}, it is that one, whose number is 0 in every process.
   *
   * @throws OptionException if {@code --device} is not a valid device
   */
  public Device device(Rank rank) {
    return device(rank, Torch::cudaDeviceCount);
  }

  Device device(Rank rank, IntSupplier visibleGpus) {
    if (isAuto() && visibleGpus.getAsInt() == 0) {
      return Device.CPU;
    }
    if (!isAuto() && !device.equals(CUDA)) {
      return parsed();
    }
    boolean onlyOne = rank.localIndex() > 0 && visibleGpus.getAsInt() == 1;
    return Device.cuda(onlyOne ? 0 : rank.localIndex());
  }

  /** Returns whether the device was left to {@code auto}. */
  public boolean isAuto() {
    return device.equals(AUTO);
  }

  private Device parsed() {
    try {
      return Device.parse(device);
    } catch (OptionException _) {
      throw new OptionException(
          "--device must be auto, cpu, cuda or cuda:N, but is '%s'".formatted(device));
    }
  }

  /** Returns whether TensorFloat-32 may be used; empty for the command's default. */
  public Optional<CudaPrecision.Tf32> tf32() {
    return Optional.ofNullable(tf32)
        .map(chosen ->
            switch (chosen) {
              case ON -> CudaPrecision.Tf32.ALLOWED;
              case OFF -> CudaPrecision.Tf32.FORBIDDEN;
            });
  }

  /**
   * Returns the number of threads of an operator; empty for LibTorch's default.
   *
   * @throws OptionException if the number is out of range
   */
  public OptionalInt threads() {
    return ThreadCounts.orChosen(threads);
  }
}
