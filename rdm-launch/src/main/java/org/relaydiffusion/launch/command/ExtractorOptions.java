package org.relaydiffusion.launch.command;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.launch.rank.Rank;
import org.relaydiffusion.model.Numerics;
import org.relaydiffusion.nativeconfig.NativeThreads;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.Torch;
import picocli.CommandLine.Option;

/** The network whose features are compared, and where it runs. */
final class ExtractorOptions implements Section {
  private static final int MOST_WORKERS_BY_DEFAULT = 8;

  @Option(
      names = "--inception",
      paramLabel = "FILE",
      description =
          "Weights of Inception-v3 (2015-12-05). Default: what RDM_INCEPTION names, else the"
              + " converted file in the user's cache.")
  @Nullable Path inception;

  @Option(
      names = "--device",
      paramLabel = "cpu|cuda[:N]",
      completionCandidates = Candidates.Devices.class,
      description =
          "Where the network runs; with several processes 'cuda' is each one's own GPU."
              + " Default: ${DEFAULT-VALUE}.",
      defaultValue = "cpu")
  String device = "cpu";

  @Option(
      names = "--numerics",
      paramLabel = "exact|fast",
      completionCandidates = Candidates.NumericsNames.class,
      description =
          "exact repeats the published operations in their order; fast rounds otherwise and takes"
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

  @Option(
      names = "--workers",
      paramLabel = "N",
      description =
          "Threads that decode pictures ahead of the network, at least 1; the result does not"
              + " depend on it. Default: 1 on the CPU, 8 or one for each core with CUDA.")
  @Nullable Integer workers;

  @Override
  public String heading() {
    return "Network";
  }

  /** The device; {@code cuda} without a number is the process's own among several. */
  Device device(Rank rank) {
    Device parsed = Device.parse(device);
    return device.equals("cuda") ? Device.cuda(rank.localIndex()) : parsed;
  }

  /** The number of decoding threads. */
  int workers(Rank rank) {
    if (workers != null) {
      if (workers < 1) {
        throw new OptionException("--workers must be at least 1, but is " + workers);
      }
      return workers;
    }
    if (Device.parse(device).type() == Device.Type.CPU) {
      return 1;
    }
    int cores = Runtime.getRuntime().availableProcessors() / rank.localWorldSize();
    return Math.clamp(cores, 1, MOST_WORKERS_BY_DEFAULT);
  }

  /**
   * Makes LibTorch ready.
   *
   * @throws OptionException when the device cannot be used
   */
  void prepare(Rank rank) {
    if (threads < 0) {
      throw new OptionException("--threads must be at least 0, but is " + threads);
    }
    Torch.library();
    if (threads > 0) {
      NativeThreads.setThreads(threads);
    }
    Torch.requireUsable(device(rank));
  }
}
