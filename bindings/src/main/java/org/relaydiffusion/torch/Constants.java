// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch;

import java.util.EnumMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Tensors that operators are called with again and again, made once a process. They are on the CPU:
 * on a device each would belong to the stream, or the captured graph, that it was made in.
 */
final class Constants {
  private static final Map<DType, Tensor> ONES = new EnumMap<>(DType.class);

  private static volatile @Nullable Tensor factorOne;

  private Constants() {}

  /** The float64 vector of a single one: the factors of the foreach forms, on whatever device. */
  static Tensor factorOne() {
    Tensor known = factorOne;
    if (known == null) {
      synchronized (ONES) {
        known = factorOne;
        if (known == null) {
          known = kept(Torch.ones(DType.FLOAT64, 1), null);
          factorOne = known;
        }
      }
    }
    return known;
  }

  /** A 0-dim tensor of one. */
  static Tensor one(DType type) {
    synchronized (ONES) {
      return ONES.computeIfAbsent(type, t -> kept(Torch.full(1, t), null));
    }
  }

  /**
   * A tensor of the library's own in the place of {@code made}, which is closed.
   *
   * @param owner frees it when it is lost; null for a tensor that lives as long as the process
   */
  static Tensor kept(Tensor made, @Nullable Object owner) {
    try (made) {
      return Tensor.ofLibrary(made, owner);
    }
  }
}
