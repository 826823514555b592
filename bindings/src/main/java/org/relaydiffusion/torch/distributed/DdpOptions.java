// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.distributed;

import org.relaydiffusion.OptionException;
import org.relaydiffusion.torch.TorchException;

/**
 * How gradients are averaged.
 *
 * @param bucketMiB about how many MiB of gradients travel together: more means fewer messages, less
 *     means that the first leave earlier
 * @param unused whether a forward pass may leave parameters out
 */
public record DdpOptions(int bucketMiB, Unused unused) {
  /** What is done about parameters that a forward pass leaves out. */
  public enum Unused {
    /** There are none: every parameter takes part in every pass. */
    NONE,
    /** They are looked for before each backward pass, which takes time. */
    FIND
  }

  /** 25 MiB, as PyTorch; every parameter takes part. */
  public static final DdpOptions DEFAULT = new DdpOptions(25, Unused.NONE);

  /**
   * Checks the size.
   *
   * @throws OptionException when there can be no such bucket
   */
  public DdpOptions {
    TorchException.requireNonNull(unused, "unused");
    if (bucketMiB < 1 || bucketMiB > 1 << 20) {
      throw new OptionException("a bucket has 1 MiB or more, not " + bucketMiB);
    }
  }

  boolean findsUnused() {
    return unused == Unused.FIND;
  }
}
