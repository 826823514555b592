package org.relaydiffusion.launch.command;

import java.util.OptionalInt;
import java.util.function.IntSupplier;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.launch.rank.Rank;
import org.relaydiffusion.model.Numerics;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.Torch;
import picocli.CommandLine.Option;

/** Where networks run, in which order of operations, and on how many threads. */
public final class ComputeOptions {
  private static final String AUTO = "auto";
  private static final String CUDA = "cuda";

  @Option(
      names = "--device",
      paramLabel = "auto|cpu|cuda[:N]",
      completionCandidates = Candidates.Devices.class,
      description =
          "Where the networks run; auto is cuda where LibTorch can use a GPU, else cpu; with several"
              + " processes 'cuda' is each one's own GPU. Default: ${DEFAULT-VALUE}.",
      defaultValue = AUTO)
  public String device = AUTO;

  @Option(
      names = "--numerics",
      paramLabel = "exact|fast",
      completionCandidates = Candidates.NumericsNames.class,
      description =
          "exact repeats the reference's operations in its order; fast computes the same in less"
              + " time, rounded otherwise. Default: ${DEFAULT-VALUE}.",
      defaultValue = "fast")
  public Numerics numerics = Numerics.FAST;

  @Option(
      names = "--threads",
      paramLabel = "N",
      description =
          "Threads for one operation, 1 to 1024; 0 lets LibTorch choose."
              + " Default: ${DEFAULT-VALUE}.",
      defaultValue = "0")
  public int threads;

  /**
   * The device. For {@code auto}, LibTorch is loaded to find out whether it can use a GPU.
   *
   * <p>With several processes on a machine, {@code cuda} without a number is the GPU that has the
   * process's local number. Where each process is shown one GPU only, as with Slurm's {@code
   * --gpus-per-task=1}, it is that one, whose number is 0 in every process.
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

  /** Whether the device was not chosen by the user. */
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

  /**
   * The threads for one operation; empty where LibTorch chooses.
   *
   * @throws OptionException when the number is out of range
   */
  public OptionalInt threads() {
    return ThreadCounts.orChosen(threads);
  }
}
