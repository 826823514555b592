// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.ffi;

import static java.lang.foreign.ValueLayout.JAVA_BOOLEAN;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.FunctionDescriptor;
import java.lang.invoke.MethodHandle;

/** Settings of the whole process ({@code at::Context}), which the C ABI does not have. */
public final class ContextAbi {
  private static final MethodHandle CONTEXT =
      Symbols.any("_ZN2at13globalContextEv", FunctionDescriptor.of(JAVA_LONG));
  private static final MethodHandle SET_TF32_CUDNN = flag("_ZN2at7Context17setAllowTF32CuDNNEb");
  private static final MethodHandle SET_TF32_CUBLAS = flag("_ZN2at7Context18setAllowTF32CuBLASEb");
  private static final MethodHandle SET_HALF_SUMS =
      Symbols.any(
          "_ZN2at7Context27setAllowFP16ReductionCuBLASEbb",
          FunctionDescriptor.ofVoid(JAVA_LONG, JAVA_BOOLEAN, JAVA_BOOLEAN));
  private static final MethodHandle SET_BENCHMARK_CUDNN =
      flag("_ZN2at7Context17setBenchmarkCuDNNEb");
  // Not allowTF32CuBLAS and its like, which throw where the older and the newer settings disagree.
  private static final MethodHandle FLOAT32_PRECISION =
      Symbols.any(
          "_ZNK2at7Context16float32PrecisionENS_14Float32BackendENS_9Float32OpE",
          FunctionDescriptor.of(JAVA_INT, JAVA_LONG, JAVA_INT, JAVA_INT));
  private static final MethodHandle GET_HALF_SUMS =
      Symbols.any(
          "_ZNK2at7Context24allowFP16ReductionCuBLASEv",
          FunctionDescriptor.of(JAVA_BYTE, JAVA_LONG));
  private static final MethodHandle GET_BENCHMARK_CUDNN =
      Symbols.any(
          "_ZNK2at7Context14benchmarkCuDNNEv", FunctionDescriptor.of(JAVA_BOOLEAN, JAVA_LONG));

  /** {@code at::Float32Backend::CUDA}. */
  private static final int CUDA = 1;

  /** {@code at::Float32Precision::TF32}. */
  private static final int TF32 = 2;

  private ContextAbi() {}

  /** The operators whose float32 operands may be rounded ({@code at::Float32Op}). */
  public enum Products {
    /** Convolutions, by cuDNN. */
    CONVOLUTION(1),
    /** Matrix products, by cuBLAS. */
    MATRIX(3);

    private final int code;

    Products(int code) {
      this.code = code;
    }
  }

  /** Whether TensorFloat-32 may be used on CUDA. */
  public static boolean allowsTf32(Products products) {
    try {
      long context = (long) CONTEXT.invokeExact();
      return (int) FLOAT32_PRECISION.invokeExact(context, CUDA, products.code) == TF32;
    } catch (Throwable e) {
      throw TensorAbi.fatal(e);
    }
  }

  /** Whether cuBLAS may add float16 products in float16. */
  public static boolean allowsHalfSums() {
    try {
      long context = (long) CONTEXT.invokeExact();
      // The first of three: reduced sums with split k, full sums with it, full sums without.
      return (byte) GET_HALF_SUMS.invokeExact(context) == 0;
    } catch (Throwable e) {
      throw TensorAbi.fatal(e);
    }
  }

  /**
   * Sets what {@link #allowsTf32} tells.
   *
   * @throws org.relaydiffusion.nativeconfig.NativeLibraryException naming the missing function
   */
  public static void allowTf32(Products products, boolean allowed) {
    MethodHandle set = products == Products.CONVOLUTION ? SET_TF32_CUDNN : SET_TF32_CUBLAS;
    try {
      set.invokeExact((long) CONTEXT.invokeExact(), allowed);
    } catch (Throwable e) {
      throw TensorAbi.fatal(e);
    }
  }

  /**
   * Sets what {@link #allowsHalfSums} tells.
   *
   * @throws org.relaydiffusion.nativeconfig.NativeLibraryException naming the missing function
   */
  public static void allowHalfSums(boolean allowed) {
    try {
      SET_HALF_SUMS.invokeExact((long) CONTEXT.invokeExact(), allowed, true);
    } catch (Throwable e) {
      throw TensorAbi.fatal(e);
    }
  }

  /** Whether cuDNN times its kernels for each new shape, and keeps the quickest. */
  public static boolean benchmarksCudnn() {
    try {
      long context = (long) CONTEXT.invokeExact();
      return (boolean) GET_BENCHMARK_CUDNN.invokeExact(context);
    } catch (Throwable e) {
      throw TensorAbi.fatal(e);
    }
  }

  /** Lets cuDNN time its kernels for each new shape, and keep the quickest. */
  public static void benchmarkCudnn() {
    try {
      long context = (long) CONTEXT.invokeExact();
      SET_BENCHMARK_CUDNN.invokeExact(context, true);
    } catch (Throwable e) {
      throw TensorAbi.fatal(e);
    }
  }

  private static MethodHandle flag(String name) {
    return Symbols.any(name, FunctionDescriptor.ofVoid(JAVA_LONG, JAVA_BOOLEAN));
  }
}
