// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.distributed;

import org.relaydiffusion.torch.distributed.Backend.Combination;

/** How {@link ProcessGroup#allReduce} combines the processes' elements. */
public enum ReduceOp {
  /** Their sum. */
  SUM(Combination.SUM),
  /** Their product. */
  PRODUCT(Combination.PRODUCT),
  /** The least. */
  MIN(Combination.MIN),
  /** The greatest. */
  MAX(Combination.MAX);

  private final Combination combination;

  ReduceOp(Combination combination) {
    this.combination = combination;
  }

  Combination combination() {
    return combination;
  }
}
