// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.evaluation;

import java.nio.file.Path;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.launch.command.ComputeOptions;
import org.relaydiffusion.launch.command.Section;
import org.relaydiffusion.launch.command.ThreadCounts;
import org.relaydiffusion.launch.rank.Rank;
import org.relaydiffusion.nativeconfig.NativeLibraryException;
import org.relaydiffusion.nativeconfig.NativeThreads;
import org.relaydiffusion.torch.CudaPrecision;
import org.relaydiffusion.torch.CudaPrecision.Tf32;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.Torch;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The network whose features are compared, and its device. */
final class ExtractorOptions implements Section {
  private static final System.Logger LOG = System.getLogger(ExtractorOptions.class.getName());
  private static final int MOST_WORKERS_BY_DEFAULT = 8;

  @Option(
      names = "--inception",
      paramLabel = "FILE",
      description =
          "Weights of Inception-v3 (2015-12-05). Default: RDM_INCEPTION if set, otherwise the"
              + " converted file in the user's cache.")
  @Nullable Path inception;

  @Mixin final ComputeOptions compute = new ComputeOptions();

  @Option(
      names = "--workers",
      paramLabel = "N",
      description =
          "Number of threads that decode images ahead of the network, 1 to 1024; does not affect"
              + " the"
              + " result. Default: 1 on the CPU; with CUDA 8, or one per core if there are fewer.")
  @Nullable Integer workers;

  private boolean cannotForbidTf32;

  @Override
  public String heading() {
    return "Network";
  }

  /** Returns the number of decoding threads. */
  int workers(Rank rank) {
    if (workers != null) {
      return ThreadCounts.workers(workers);
    }
    if (compute.device(rank).type() == Device.Type.CPU) {
      return 1;
    }
    int cores = Runtime.getRuntime().availableProcessors() / rank.localWorldSize();
    return Math.clamp(cores, 1, MOST_WORKERS_BY_DEFAULT);
  }

  /**
   * Initializes LibTorch.
   *
   * @throws OptionException if the device cannot be used
   */
  void prepare(Rank rank) {
    OptionalInt threads = compute.threads();
    Torch.library();
    threads.ifPresent(NativeThreads::setThreads);
    Device device = compute.device(rank);
    Torch.requireUsable(device);
    if (device.type() == Device.Type.CUDA) {
      choosePrecision();
    }
  }

  private void choosePrecision() {
    try {
      CudaPrecision.setTf32(tf32());
    } catch (NativeLibraryException e) {
      if (compute.tf32 != null) {
        throw e;
      }
      cannotForbidTf32 = true;
      LOG.log(
          System.Logger.Level.WARNING, "TensorFloat-32 cannot be switched off: " + e.getMessage());
    }
  }

  /**
   * Returns whether TensorFloat-32 may be used: unless requested, features are those of the CPU, if
   * LibTorch can switch it off. To be asked after {@link #prepare}.
   */
  Tf32 tf32() {
    return compute.tf32().orElse(cannotForbidTf32 ? Tf32.ALLOWED : Tf32.FORBIDDEN);
  }
}
