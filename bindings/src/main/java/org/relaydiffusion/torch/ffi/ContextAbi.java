// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.ffi;

import static java.lang.foreign.ValueLayout.JAVA_BOOLEAN;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.FunctionDescriptor;
import java.lang.invoke.MethodHandle;

/** Settings of the whole process ({@code at::Context}), which the C ABI does not have. */
public final class ContextAbi {
  private static final MethodHandle CONTEXT =
      Symbols.any("_ZN2at13globalContextEv", FunctionDescriptor.of(JAVA_LONG));
  private static final MethodHandle ALLOW_TF32_CUDNN = flag("_ZN2at7Context17setAllowTF32CuDNNEb");
  private static final MethodHandle ALLOW_TF32_CUBLAS =
      flag("_ZN2at7Context18setAllowTF32CuBLASEb");

  private static final MethodHandle BENCHMARK_CUDNN = flag("_ZN2at7Context17setBenchmarkCuDNNEb");

  private ContextAbi() {}

  /** Lets cuDNN time its kernels for each new shape, and keep the quickest. */
  public static void benchmarkCudnn() {
    try {
      long context = (long) CONTEXT.invokeExact();
      BENCHMARK_CUDNN.invokeExact(context, true);
    } catch (Throwable e) {
      throw TensorAbi.fatal(e);
    }
  }

  /** Switches TensorFloat-32 off in convolutions and matrix products on CUDA. */
  public static void forbidTf32() {
    try {
      long context = (long) CONTEXT.invokeExact();
      ALLOW_TF32_CUDNN.invokeExact(context, false);
      ALLOW_TF32_CUBLAS.invokeExact(context, false);
    } catch (Throwable e) {
      throw TensorAbi.fatal(e);
    }
  }

  private static MethodHandle flag(String name) {
    return Symbols.any(name, FunctionDescriptor.ofVoid(JAVA_LONG, JAVA_BOOLEAN));
  }
}
