package org.relaydiffusion.launch.command;

import org.relaydiffusion.launch.rank.Rank;
import org.relaydiffusion.model.Numerics;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Device;
import picocli.CommandLine.Option;

/** Where the networks run, and how. */
final class RunOptions implements Section {
  @Option(
      names = "--device",
      paramLabel = "cpu|cuda[:N]",
      completionCandidates = Candidates.Devices.class,
      description =
          "Where the networks run; with several processes 'cuda' is each one's own GPU."
              + " Default: ${DEFAULT-VALUE}.",
      defaultValue = "cpu")
  String device = "cpu";

  @Option(
      names = "--dtype",
      paramLabel = "float32|bfloat16|float16",
      completionCandidates = Candidates.Types.class,
      description = "Type that the networks compute in. Default: ${DEFAULT-VALUE}.",
      defaultValue = "float32")
  DType dtype = DType.FLOAT32;

  @Option(
      names = "--numerics",
      paramLabel = "exact|fast",
      completionCandidates = Candidates.NumericsNames.class,
      description =
          "exact repeats the reference's operations in its order; fast looks the same and takes"
              + " less time. Default: ${DEFAULT-VALUE}.",
      defaultValue = "fast")
  Numerics numerics = Numerics.FAST;

  @Option(
      names = "--threads",
      paramLabel = "N",
      description =
          "Threads for one operation, at least 1; 0 lets LibTorch choose."
              + " Default: ${DEFAULT-VALUE}.",
      defaultValue = "0")
  int threads;

  @Override
  public String heading() {
    return "Running";
  }

  /** The device; {@code cuda} without a number is the process's own among several. */
  Device device(Rank rank) {
    Device parsed = Device.parse(device);
    return device.equals("cuda") ? Device.cuda(rank.localIndex()) : parsed;
  }
}
