// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch;

import java.util.LinkedHashSet;
import java.util.Set;
import org.relaydiffusion.nativeconfig.NativeLibraryException;
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
   * Makes this hold from now on, in the whole process: each setting by itself.
   *
   * @throws NativeLibraryException when this LibTorch lacks functions for it, which it names: what
   *     they set is as it was, all other settings are changed
   */
  public void apply() {
    setAll(
        tf32(ContextAbi.Products.CONVOLUTION, convolutions),
        tf32(ContextAbi.Products.MATRIX, matrices),
        () -> ContextAbi.allowHalfSums(halfSums == HalfSums.REDUCED));
  }

  /**
   * Allows or forbids TensorFloat-32 in convolutions and matrix products alike, in the whole
   * process. How float16 products are added stays as it is.
   *
   * @throws NativeLibraryException as {@link #apply}
   */
  public static void setTf32(Tf32 everywhere) {
    TorchException.requireNonNull(everywhere, "everywhere");
    setAll(
        tf32(ContextAbi.Products.CONVOLUTION, everywhere),
        tf32(ContextAbi.Products.MATRIX, everywhere));
  }

  private static Runnable tf32(ContextAbi.Products products, Tf32 wanted) {
    return () -> ContextAbi.allowTf32(products, wanted == Tf32.ALLOWED);
  }

  /** A function that is missing takes no other setting with it. */
  private static void setAll(Runnable... settings) {
    Set<String> lacks = new LinkedHashSet<>();
    for (Runnable setting : settings) {
      try {
        setting.run();
      } catch (NativeLibraryException e) {
        lacks.add(String.valueOf(e.getMessage()));
      }
    }
    if (!lacks.isEmpty()) {
      throw new NativeLibraryException(String.join("; ", lacks));
    }
  }

  private static Tf32 tf32(boolean allowed) {
    return allowed ? Tf32.ALLOWED : Tf32.FORBIDDEN;
  }
}
