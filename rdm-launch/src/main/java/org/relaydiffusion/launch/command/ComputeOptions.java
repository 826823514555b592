package org.relaydiffusion.launch.command;

import java.util.OptionalInt;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.launch.rank.Rank;
import org.relaydiffusion.model.Numerics;
import org.relaydiffusion.torch.Device;
import picocli.CommandLine.Option;

/** Where networks run, in which order of operations, and on how many threads. */
public final class ComputeOptions {
  @Option(
      names = "--device",
      paramLabel = "cpu|cuda[:N]",
      completionCandidates = Candidates.Devices.class,
      description =
          "Where the networks run; with several processes 'cuda' is each one's own GPU."
              + " Default: ${DEFAULT-VALUE}.",
      defaultValue = "cpu")
  public String device = "cpu";

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

  /** The device; {@code cuda} without a number is the process's own among several. */
  public Device device(Rank rank) {
    Device parsed = Device.parse(device);
    return device.equals("cuda") ? Device.cuda(rank.localIndex()) : parsed;
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
