// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch;

import org.jspecify.annotations.Nullable;
import org.relaydiffusion.torch.ffi.CpuAbi;

/**
 * Operators that LibTorch also exports as C functions of their own, which cost half of a call
 * through the dispatcher and have the same bits. They take dense CPU tensors, and those that
 * compute record no gradient. Each method returns null where the dispatcher must be called instead:
 * for other tensors, where a gradient is recorded, where this LibTorch lacks the function, and
 * where anything is wrong, for the dispatcher's call says what.
 */
final class Unboxed {
  private Unboxed() {}

  /** {@code a * b}. */
  static @Nullable Tensor mul(Tensor a, Tensor b) {
    if (!canTake(a, b)) {
      return null;
    }
    long x = a.beginUse();
    try {
      long y = b.beginUse();
      try {
        return result(CpuAbi.mul(x, y), a, b);
      } finally {
        b.endUse();
      }
    } finally {
      a.endUse();
    }
  }

  /** {@code a + alpha b}. */
  static @Nullable Tensor addScaled(Tensor a, Tensor b, double alpha) {
    // The C function's alpha is a float, which LibTorch refuses for integers.
    if (!canTake(a, b) || !(a.dtype().isFloatingPoint() || b.dtype().isFloatingPoint())) {
      return null;
    }
    long x = a.beginUse();
    try {
      long y = b.beginUse();
      try {
        return result(CpuAbi.add(x, y, alpha), a, b);
      } finally {
        b.endUse();
      }
    } finally {
      a.endUse();
    }
  }

  /** Another shape. */
  static @Nullable Tensor reshape(Tensor x, long[] sizes) {
    if (x == null || sizes == null || !x.isDenseOnCpu()) {
      return null;
    }
    long handle = x.beginUse();
    try {
      long result = CpuAbi.reshape(handle, sizes);
      return result == 0 ? null : Tensor.denseOnCpu(result, x.dtype());
    } finally {
      x.endUse();
    }
  }

  /** Elements [start, start + length) of an axis. */
  static @Nullable Tensor narrow(Tensor x, int dim, long start, long length) {
    if (x == null || !x.isDenseOnCpu()) {
      return null;
    }
    long handle = x.beginUse();
    try {
      long result = CpuAbi.narrow(handle, dim, start, length);
      return result == 0 ? null : Tensor.denseOnCpu(result, x.dtype());
    } finally {
      x.endUse();
    }
  }

  private static boolean canTake(Tensor a, Tensor b) {
    return a != null
        && b != null
        && a.isDenseOnCpu()
        && b.isDenseOnCpu()
        && !Autograd.records(a, b);
  }

  private static @Nullable Tensor result(long handle, Tensor a, Tensor b) {
    if (handle == 0) {
      return null;
    }
    DType type = a.dtype();
    return Tensor.denseOnCpu(handle, type == b.dtype() ? type : null);
  }
}
