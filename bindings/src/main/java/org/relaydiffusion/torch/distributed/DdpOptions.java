// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.distributed;

import org.relaydiffusion.OptionException;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.TorchException;

/**
 * How gradients are averaged.
 *
 * @param bucketMiB about how many MiB of gradients travel together: more means fewer messages, less
 *     means that the first leave earlier
 * @param unused whether a forward pass may leave parameters out
 * @param averaging when and by whom
 */
public record DdpOptions(int bucketMiB, Unused unused, Averaging averaging) {
  /** What is done about parameters that a forward pass leaves out. */
  public enum Unused {
    /** There are none: every parameter takes part in every pass. */
    NONE,
    /** They are looked for before each backward pass, which takes time. */
    FIND
  }

  /** When gradients are averaged. */
  public enum Averaging {
    /** {@link #REDUCER} on the CPU, {@link #GROUPED} on CUDA. */
    AUTO,
    /** By one call after the last backward pass of a step. Works with every LibTorch. */
    GROUPED,
    /**
     * While the backward pass goes on, by LibTorch's own reducer. On the CPU only, and only with
     * the bundled LibTorch. The averages are complete when any backward pass returns, also one that
     * was not started by {@link DistributedDataParallel#backward}.
     */
    REDUCER;

    boolean overlaps(Device device) {
      return this == REDUCER || (this == AUTO && device.type() == Device.Type.CPU);
    }
  }

  /** 25 MiB, as PyTorch; every parameter takes part; averaged as fits the device. */
  public static final DdpOptions DEFAULT = new DdpOptions(25, Unused.NONE, Averaging.AUTO);

  /**
   * Checks the size.
   *
   * @throws OptionException when there can be no such bucket
   */
  public DdpOptions {
    TorchException.requireNonNull(unused, "unused");
    TorchException.requireNonNull(averaging, "averaging");
    if (bucketMiB < 1 || bucketMiB > 1 << 20) {
      throw new OptionException("a bucket has 1 MiB or more, not " + bucketMiB);
    }
  }

  boolean findsUnused() {
    return unused == Unused.FIND;
  }
}
