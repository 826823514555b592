// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.training;

import java.util.Optional;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.diffusion.train.TrainingOptions.LossScaling;
import org.relaydiffusion.diffusion.train.TrainingOptions.NonFiniteLoss;
import org.relaydiffusion.launch.command.ComputeOptions;
import org.relaydiffusion.launch.command.Section;
import org.relaydiffusion.launch.rank.Rank;
import org.relaydiffusion.model.LoadOptions;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.distributed.DdpOptions;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The device and dtype of training. */
final class TrainingRunOptions implements Section {
  @Option(
      names = "--fp16",
      paramLabel = "BOOL",
      arity = "0..1",
      fallbackValue = "true",
      description =
          "Mixed precision with float16 on CUDA. The CPU computes in float32, as in the reference's"
              + " networks, with a warning; an error with --device=cpu. Default:"
              + " ${DEFAULT-VALUE}.",
      defaultValue = "false")
  boolean float16;

  @Option(
      names = "--bf16",
      paramLabel = "BOOL",
      arity = "0..1",
      fallbackValue = "true",
      description = "Mixed precision with bfloat16, also on the CPU. Default: ${DEFAULT-VALUE}.",
      defaultValue = "false")
  boolean bfloat16;

  @Option(
      names = "--ls",
      paramLabel = "X|auto",
      description =
          "Loss scale; auto reduces it and skips the step whenever a"
              + " gradient overflows. Default: ${DEFAULT-VALUE}.")
  String lossScale = "";

  @Option(
      names = "--bench",
      paramLabel = "BOOL",
      arity = "1",
      description =
          "Let cuDNN benchmark its kernels; results may then differ between runs in their last"
              + " bits."
              + " Default: ${DEFAULT-VALUE}.",
      defaultValue = "true")
  boolean benchmark;

  @Option(
      names = "--ddp",
      paramLabel = "auto|grouped|reducer",
      description =
          "How several processes average gradients: reducer, during the backward pass (CPU, bundled"
              + " LibTorch), or grouped, in one call after it (any LibTorch); auto is reducer on the"
              + " CPU and grouped on CUDA. Default: ${DEFAULT-VALUE}.",
      defaultValue = "auto")
  DdpOptions.Averaging averaging = DdpOptions.Averaging.AUTO;

  @Option(
      names = "--stop-on-nan",
      description =
          "Fail at the end of a tick in which a loss was infinite or NaN, without saving a state"
              + " that it may have corrupted. Default: off, it is only reported.")
  boolean stopOnNan;

  @Mixin final ComputeOptions compute = new ComputeOptions();

  @Option(
      names = {"-n", "--dry-run"},
      description = "Print the resolved options as JSON and exit. Default: off.")
  boolean dryRun;

  @Override
  public String heading() {
    return "Running";
  }

  LoadOptions running(Rank rank) {
    if (float16 && bfloat16) {
      throw new OptionException("--fp16 and --bf16 are mutually exclusive");
    }
    Device device = compute.device(rank);
    return new LoadOptions(compute.numerics, dtype(device), device);
  }

  private DType dtype(Device device) {
    if (bfloat16) {
      return DType.BFLOAT16;
    }
    boolean unavailable = device.type() == Device.Type.CPU && compute.isAuto();
    return float16 && !unavailable ? DType.FLOAT16 : DType.FLOAT32;
  }

  /** Returns a warning if the dtype differs from the requested one. */
  Optional<String> warning(LoadOptions running) {
    return float16 && running.dtype() == DType.FLOAT32
        ? Optional.of(
            "--fp16 requires CUDA, which is not available: training in float32 on the CPU")
        : Optional.empty();
  }

  DdpOptions ddp(LoadOptions running) {
    if (averaging == DdpOptions.Averaging.REDUCER && running.device().type() != Device.Type.CPU) {
      throw new OptionException(
          "--ddp=reducer is for the CPU, but the device is %s: use --ddp=grouped"
              .formatted(running.device()));
    }
    DdpOptions defaults = DdpOptions.DEFAULT;
    return new DdpOptions(defaults.bucketMiB(), defaults.unused(), averaging);
  }

  NonFiniteLoss nonFiniteLoss() {
    return stopOnNan ? NonFiniteLoss.STOP : NonFiniteLoss.REPORT;
  }

  /** Returns the dtype's part of the run folder's name. */
  String typeName() {
    return float16 ? "fp16" : bfloat16 ? "bf16" : "fp32";
  }

  LossScaling scaling() {
    if (lossScale.equalsIgnoreCase("auto")) {
      return new LossScaling.Dynamic();
    }
    try {
      return new LossScaling.Fixed(Double.parseDouble(lossScale));
    } catch (NumberFormatException _) {
      throw new OptionException(
          "--ls must be a number above 0 or auto, but is '%s'".formatted(lossScale));
    }
  }
}
