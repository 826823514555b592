// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch;

import org.relaydiffusion.torch.ffi.ContextAbi;

/**
 * How much CUDA's libraries may round inside products, in the whole process ({@code
 * torch.backends.cudnn.allow_tf32}, {@code torch.backends.cuda.matmul.allow_tf32} and {@code
 * torch.backends.cuda.matmul.allow_fp16_reduced_precision_reduction}). Changes nothing on the CPU.
 *
 * @param convolutions whether float32 convolutions may round their operands to TensorFloat-32
 * @param matrices whether float32 matrix products may
 * @param halfSums how float16 products are added
 */
public record CudaPrecision(Tf32 convolutions, Tf32 matrices, HalfSums halfSums) {
  /** PyTorch's defaults: TensorFloat-32 in convolutions only, and float16 sums may be reduced. */
  public static final CudaPrecision DEFAULT =
      new CudaPrecision(Tf32.ALLOWED, Tf32.FORBIDDEN, HalfSums.REDUCED);

  /** No rounding beyond that of the operands' own type, as EDM and RDM train. */
  public static final CudaPrecision FULL =
      new CudaPrecision(Tf32.FORBIDDEN, Tf32.FORBIDDEN, HalfSums.FULL);

  /**
   * TensorFloat-32: float32 operands rounded to 10 bits of mantissa, which the tensor cores of
   * compute capability 8.0 and newer multiply several times faster.
   */
  public enum Tf32 {
    /** Used where a kernel has it. */
    ALLOWED,
    /** Never used. */
    FORBIDDEN
  }

  /** The type in which cuBLAS adds products of float16 matrices. */
  public enum HalfSums {
    /** Partial sums may be float16. */
    REDUCED,
    /** All sums are float32. */
    FULL
  }

  /** Refuses null. */
  public CudaPrecision {
    TorchException.requireNonNull(convolutions, "convolutions");
    TorchException.requireNonNull(matrices, "matrices");
    TorchException.requireNonNull(halfSums, "halfSums");
  }

  /** What holds in this process now. */
  public static CudaPrecision current() {
    return new CudaPrecision(
        tf32(ContextAbi.allowsTf32(ContextAbi.Products.CONVOLUTION)),
        tf32(ContextAbi.allowsTf32(ContextAbi.Products.MATRIX)),
        ContextAbi.allowsHalfSums() ? HalfSums.REDUCED : HalfSums.FULL);
  }

  /** This, with TensorFloat-32 allowed or forbidden in convolutions and matrix products alike. */
  public CudaPrecision with(Tf32 everywhere) {
    return new CudaPrecision(everywhere, everywhere, halfSums);
  }

  /**
   * Makes this hold from now on, in the whole process.
   *
   * @throws org.relaydiffusion.nativeconfig.NativeLibraryException when this LibTorch lacks a
   *     function for it, which it names; nothing is changed then
   */
  public void apply() {
    ContextAbi.allow(
        convolutions == Tf32.ALLOWED, matrices == Tf32.ALLOWED, halfSums == HalfSums.REDUCED);
  }

  private static Tf32 tf32(boolean allowed) {
    return allowed ? Tf32.ALLOWED : Tf32.FORBIDDEN;
  }
}
