// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.ffi;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/**
 * CUDA's events: whether what was put on a stream is done can be asked from any thread, without
 * waiting for it. Results are {@code cudaError_t}. Streams and events are addresses.
 */
public final class CudaEventAbi {
  /** {@code cudaSuccess}. */
  public static final int SUCCESS = 0;

  /** {@code cudaErrorNotReady}. */
  public static final int NOT_READY = 600;

  /** {@code cudaEventDisableTiming}. */
  private static final int DISABLE_TIMING = 2;

  private static final int LONGEST_TEXT = 1 << 12;

  private static final MethodHandle CURRENT_STREAM =
      Symbols.code("aoti_torch_get_current_cuda_stream", JAVA_INT, ADDRESS);
  private static final MethodHandle SET_DEVICE = Symbols.code("cudaSetDevice", JAVA_INT);
  private static final MethodHandle CREATE =
      Symbols.code("cudaEventCreateWithFlags", ADDRESS, JAVA_INT);
  private static final MethodHandle RECORD = Symbols.code("cudaEventRecord", JAVA_LONG, JAVA_LONG);
  private static final MethodHandle QUERY = Symbols.code("cudaEventQuery", JAVA_LONG);
  private static final MethodHandle DESTROY = Symbols.code("cudaEventDestroy", JAVA_LONG);
  private static final MethodHandle ERROR_STRING =
      Symbols.any("cudaGetErrorString", FunctionDescriptor.of(ADDRESS, JAVA_INT));

  private CudaEventAbi() {}

  /** LibTorch's current stream of a device, for this thread. */
  public static long currentStream(int device) throws NativeCallException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment stream = arena.allocate(JAVA_LONG);
      if ((int) CURRENT_STREAM.invokeExact(device, stream) != 0) {
        throw new NativeCallException("get_current_cuda_stream");
      }
      return stream.get(JAVA_LONG, 0);
    } catch (NativeCallException e) {
      throw e;
    } catch (Throwable e) {
      throw TensorAbi.fatal(e);
    }
  }

  /**
   * Makes a device this thread's current one for CUDA's runtime, which makes a context on it. For
   * threads of one device alone: where another is to come back, {@link CudaGuardAbi} makes none on
   * that.
   */
  public static int setDevice(int device) {
    try {
      return (int) SET_DEVICE.invokeExact(device);
    } catch (Throwable e) {
      throw TensorAbi.fatal(e);
    }
  }

  /**
   * An event of the current device after all that is on a stream now.
   *
   * @param out its address is written to [0]; 0 where that fails
   */
  public static int record(long[] out, long stream) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment made = arena.allocate(JAVA_LONG);
      int created = (int) CREATE.invokeExact(made, DISABLE_TIMING);
      if (created != SUCCESS) {
        return created;
      }
      long event = made.get(JAVA_LONG, 0);
      int recorded = (int) RECORD.invokeExact(event, stream);
      if (recorded == SUCCESS) {
        out[0] = event;
      } else {
        destroy(event);
      }
      return recorded;
    } catch (Throwable e) {
      throw TensorAbi.fatal(e);
    }
  }

  /** {@link #SUCCESS} when it has come, {@link #NOT_READY}, or what went wrong on the device. */
  public static int query(long event) {
    try {
      return (int) QUERY.invokeExact(event);
    } catch (Throwable e) {
      throw TensorAbi.fatal(e);
    }
  }

  /** Frees an event; it need not have come. */
  public static void destroy(long event) {
    try {
      int _ = (int) DESTROY.invokeExact(event);
    } catch (Throwable e) {
      throw TensorAbi.fatal(e);
    }
  }

  /** What a result means, in words. */
  public static String text(int result) {
    try {
      MemorySegment text = (MemorySegment) ERROR_STRING.invokeExact(result);
      return text.equals(MemorySegment.NULL)
          ? "CUDA error " + result
          : text.reinterpret(LONGEST_TEXT).getString(0);
    } catch (Throwable e) {
      throw TensorAbi.fatal(e);
    }
  }
}
