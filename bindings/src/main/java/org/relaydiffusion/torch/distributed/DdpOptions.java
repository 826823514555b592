package org.relaydiffusion.torch.distributed;

import org.relaydiffusion.OptionException;

/**
 * How gradients are averaged.
 *
 * @param bucketMiB about how many MiB of gradients travel together: more means fewer messages, less
 *     means that the first leave earlier
 * @param findUnused whether a forward pass may leave parameters out; they are then looked for
 *     before each backward pass, which takes time
 */
public record DdpOptions(int bucketMiB, boolean findUnused) {
  /** 25 MiB, as PyTorch; every parameter takes part. */
  public static final DdpOptions DEFAULT = new DdpOptions(25, false);

  /**
   * Checks the size.
   *
   * @throws OptionException when there can be no such bucket
   */
  public DdpOptions {
    if (bucketMiB < 1 || bucketMiB > 1 << 20) {
      throw new OptionException("a bucket has 1 MiB or more, not " + bucketMiB);
    }
  }
}
