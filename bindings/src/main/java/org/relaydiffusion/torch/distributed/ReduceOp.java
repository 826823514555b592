// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.distributed;

import org.relaydiffusion.torch.cpp.CppGroup.Reduction;

/** How {@link ProcessGroup#allReduce} combines the processes' elements. */
public enum ReduceOp {
  /** Their sum. */
  SUM(Reduction.SUM),
  /** Their product. */
  PRODUCT(Reduction.PRODUCT),
  /** The least. */
  MIN(Reduction.MIN),
  /** The greatest. */
  MAX(Reduction.MAX);

  private final Reduction reduction;

  ReduceOp(Reduction reduction) {
    this.reduction = reduction;
  }

  Reduction reduction() {
    return reduction;
  }
}
