// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch;

import java.util.EnumMap;
import java.util.Map;

/**
 * Tensors that operators are called with again and again, made once a process. They are on the CPU:
 * on a device each would belong to the stream, or the captured graph, that it was made in.
 */
final class Constants {
  private static final Map<DType, Tensor> ONES = new EnumMap<>(DType.class);

  private Constants() {}

  /** The float64 vector of a single one: the factors of the foreach forms, on whatever device. */
  static Tensor factorOne() {
    return FactorOne.VALUE;
  }

  /** A 0-dim tensor of one. */
  static Tensor one(DType type) {
    synchronized (ONES) {
      return ONES.computeIfAbsent(type, t -> kept(Torch.full(1, t)));
    }
  }

  private static Tensor kept(Tensor made) {
    try (made) {
      return Tensor.ofLibrary(made.furtherHandle(), null);
    }
  }

  private static final class FactorOne {
    static final Tensor VALUE = kept(Torch.ones(DType.FLOAT64, 1));
  }
}
