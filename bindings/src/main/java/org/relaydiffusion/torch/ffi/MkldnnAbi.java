package org.relaydiffusion.torch.ffi;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import org.jspecify.annotations.Nullable;

/**
 * oneDNN's convolution by its own C function. The dispatcher reaches it as well, but every string
 * argument that passes through the dispatcher leaves 32 bytes behind, and this operator has one.
 */
public final class MkldnnAbi {
  private static final @Nullable MethodHandle CONVOLUTION =
      Symbols.optional(
          "aoti_torch_cpu_mkldnn__convolution_pointwise",
          FunctionDescriptor.of(
              JAVA_INT, JAVA_LONG, JAVA_LONG, ADDRESS, ADDRESS, JAVA_LONG, ADDRESS, JAVA_LONG,
              ADDRESS, JAVA_LONG, JAVA_LONG, ADDRESS, ADDRESS, JAVA_LONG, ADDRESS, ADDRESS));
  private static final MemorySegment NO_ACTIVATION = DispatcherAbi.name("none");

  private MkldnnAbi() {}

  /** Whether this build has the function. */
  public static boolean isAvailable() {
    return CONVOLUTION != null;
  }

  /**
   * Convolves with stride 1 in one group.
   *
   * @param weight a handle of a packed weight
   * @param bias a handle, or 0
   */
  public static long convolution(long x, long weight, long bias, int padding)
      throws NativeCallException {
    MethodHandle function = CONVOLUTION;
    if (function == null) {
      throw new NativeCallException("mkldnn_convolution_pointwise");
    }
    Scratch s = Scratch.current();
    MemorySegment paddings = s.sizes(new long[] {padding, padding});
    MemorySegment ones = s.strides(new long[] {1, 1});
    s.out2.set(JAVA_LONG, 0, bias);
    MemorySegment optionalBias = bias == 0 ? MemorySegment.NULL : s.out2;
    int code;
    try {
      code =
          (int)
              function.invokeExact(
                  x,
                  weight,
                  optionalBias,
                  paddings,
                  2L,
                  ones,
                  2L,
                  ones,
                  2L,
                  1L,
                  NO_ACTIVATION,
                  MemorySegment.NULL,
                  0L,
                  MemorySegment.NULL,
                  s.out);
    } catch (Throwable e) {
      throw TensorAbi.fatal(e);
    }
    if (code != 0) {
      throw new NativeCallException("mkldnn_convolution_pointwise");
    }
    return s.out.get(JAVA_LONG, 0);
  }
}
