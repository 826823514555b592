// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion;

import java.util.Locale;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.LaunchGrid;

/**
 * Where the random numbers of images come from. Every image has a generator of its own, whatever
 * the source, so its numbers depend on its seed alone; but each source gives a seed other numbers.
 */
public sealed interface Noise {
  /** The generator of the networks' device, as in the reference: see {@link OfDevice}. */
  Noise AUTO = new OfDevice();

  /** The generator of the CPU: see {@link OfCpu}. */
  Noise CPU = new OfCpu();

  /** {@code auto}: on CUDA the device's own generators, on the CPU those of the CPU. */
  record OfDevice() implements Noise {
    @Override
    public Noise on(Device device) {
      return device.type() == Device.Type.CUDA ? new OfCuda() : CPU;
    }

    @Override
    public String toString() {
      return "auto";
    }
  }

  /**
   * {@code cpu}: what the reference draws on the CPU, on every device. For CUDA it is drawn ahead
   * and copied.
   */
  record OfCpu() implements Noise {
    @Override
    public Noise on(Device device) {
      return this;
    }

    @Override
    public String toString() {
      return "cpu";
    }
  }

  /**
   * {@code cuda}: what the reference draws on CUDA. There the device draws it itself; on the CPU,
   * the numbers of an A100 are computed.
   */
  record OfCuda() implements Noise {
    @Override
    public Noise on(Device device) {
      return device.type() == Device.Type.CUDA ? this : new OfGpu(LaunchGrid.A100);
    }

    @Override
    public String toString() {
      return "cuda";
    }
  }

  /**
   * {@code cuda:a100} and the like: what the reference draws on a certain GPU, computed on the CPU
   * for every device.
   *
   * @param grid the launch grid of the GPU
   */
  record OfGpu(LaunchGrid grid) implements Noise {
    @Override
    public Noise on(Device device) {
      return this;
    }

    @Override
    public String toString() {
      return "cuda:" + grid;
    }
  }

  /** Returns the source that is used for networks on a device; never {@link OfDevice}. */
  Noise on(Device device);

  /**
   * Parses {@code auto}, {@code cpu}, {@code cuda}, or {@code cuda:} with the name of a GPU or a
   * number of blocks, as in {@code cuda:a100} (see {@link LaunchGrid#parse}).
   *
   * @throws OptionException for anything else
   */
  static Noise parse(String text) {
    String lower = text.toLowerCase(Locale.ROOT);
    if (lower.startsWith("cuda:")) {
      return new OfGpu(LaunchGrid.parse(lower.substring("cuda:".length())));
    }
    return switch (lower) {
      case "auto" -> AUTO;
      case "cpu" -> CPU;
      case "cuda" -> new OfCuda();
      default ->
          throw new OptionException(
              "expected auto, cpu, cuda or cuda:GPU, but was '%s'".formatted(text));
    };
  }
}
