// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.ffi;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/**
 * oneDNN's convolution by its own C function. The dispatcher reaches it as well, but every string
 * argument that passes through the dispatcher leaves 32 bytes behind, and this operator has one.
 */
public final class MkldnnAbi {
  private static final String NAME = "aoti_torch_cpu_mkldnn__convolution_pointwise";
  private static final MethodHandle IS_AVAILABLE = Symbols.presence(NAME);
  private static final MethodHandle CONVOLUTION =
      Symbols.code(
          NAME, JAVA_LONG, JAVA_LONG, ADDRESS, ADDRESS, JAVA_LONG, ADDRESS, JAVA_LONG, ADDRESS,
          JAVA_LONG, JAVA_LONG, ADDRESS, ADDRESS, JAVA_LONG, ADDRESS, ADDRESS);

  private MkldnnAbi() {}

  /**
   * How a convolution goes over its images, in native memory that is made once.
   *
   * @param padding of rows and of columns
   * @param stride of rows and of columns
   * @param dilation of rows and of columns
   * @param activation what is applied to the result: a C string
   */
  public record Geometry(
      MemorySegment padding,
      MemorySegment stride,
      MemorySegment dilation,
      MemorySegment activation) {
    /** Of one stride for both axes. */
    public static Geometry of(int stride, int paddingHeight, int paddingWidth, String activation) {
      // Automatic: the memory goes with the convolution that holds this.
      Arena arena = Arena.ofAuto();
      return new Geometry(
          arena.allocateFrom(JAVA_LONG, paddingHeight, paddingWidth),
          arena.allocateFrom(JAVA_LONG, stride, stride),
          arena.allocateFrom(JAVA_LONG, 1, 1),
          arena.allocateFrom(activation));
    }
  }

  /** Whether this build has the function. */
  public static boolean isAvailable() {
    try {
      return (boolean) IS_AVAILABLE.invokeExact();
    } catch (Throwable e) {
      throw TensorAbi.fatal(e);
    }
  }

  /**
   * Convolves in one group.
   *
   * @param weight a handle of a packed weight
   * @param bias a handle, or 0
   */
  public static long convolution(long x, long weight, long bias, Geometry geometry)
      throws NativeCallException {
    Scratch s = Scratch.current();
    s.out2.set(JAVA_LONG, 0, bias);
    MemorySegment optionalBias = bias == 0 ? MemorySegment.NULL : s.out2;
    int code;
    try {
      code =
          (int)
              CONVOLUTION.invokeExact(
                  x,
                  weight,
                  optionalBias,
                  geometry.padding,
                  2L,
                  geometry.stride,
                  2L,
                  geometry.dilation,
                  2L,
                  1L,
                  geometry.activation,
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
