// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.ffi;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BOOLEAN;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.invoke.MethodHandle;

/** Streams of CUDA devices, each a {@code cudaStream_t}; 0 is a device's default stream. */
public final class CudaStreamAbi {
  private static final String FROM_POOL_NAME = "torch_get_cuda_stream_from_pool";
  private static final MethodHandle HAS_POOL = Symbols.presence(FROM_POOL_NAME);
  private static final MethodHandle FROM_POOL =
      Symbols.code(FROM_POOL_NAME, JAVA_BOOLEAN, JAVA_INT, ADDRESS);
  private static final MethodHandle CURRENT =
      Symbols.code("aoti_torch_get_current_cuda_stream", JAVA_INT, ADDRESS);
  private static final MethodHandle SYNCHRONIZE =
      Symbols.code("torch_cuda_stream_synchronize", JAVA_LONG, JAVA_INT);
  private static final MethodHandle GUARD =
      Symbols.code("aoti_torch_create_cuda_stream_guard", JAVA_LONG, JAVA_INT, ADDRESS);
  private static final MethodHandle END_GUARD =
      Symbols.code("aoti_torch_delete_cuda_stream_guard", JAVA_LONG);

  private CudaStreamAbi() {}

  /** Whether this LibTorch has streams that can be asked for: a build with CUDA, from 2.10 on. */
  public static boolean isPresent() {
    try {
      return (boolean) HAS_POOL.invokeExact();
    } catch (Throwable e) {
      throw TensorAbi.fatal(e);
    }
  }

  /** One of the streams that LibTorch keeps for a device; they are handed out in turn. */
  public static long fromPool(int device) throws NativeCallException {
    Scratch s = Scratch.current();
    int code;
    try {
      code = (int) FROM_POOL.invokeExact(false, device, s.out);
    } catch (Throwable e) {
      throw TensorAbi.fatal(e);
    }
    return result(code, s, "get_cuda_stream_from_pool");
  }

  /** The stream on which this thread's operators run. */
  public static long current(int device) throws NativeCallException {
    Scratch s = Scratch.current();
    int code;
    try {
      code = (int) CURRENT.invokeExact(device, s.out);
    } catch (Throwable e) {
      throw TensorAbi.fatal(e);
    }
    return result(code, s, "get_current_cuda_stream");
  }

  /** Waits until everything on the stream is done. */
  public static void synchronize(long stream, int device) throws NativeCallException {
    int code;
    try {
      code = (int) SYNCHRONIZE.invokeExact(stream, device);
    } catch (Throwable e) {
      throw TensorAbi.fatal(e);
    }
    if (code != 0) {
      throw new NativeCallException("cuda_stream_synchronize");
    }
  }

  /** Makes device and stream this thread's current ones; the result is for {@link #endGuard}. */
  public static long guard(long stream, int device) throws NativeCallException {
    Scratch s = Scratch.current();
    int code;
    try {
      code = (int) GUARD.invokeExact(stream, device, s.out);
    } catch (Throwable e) {
      throw TensorAbi.fatal(e);
    }
    return result(code, s, "create_cuda_stream_guard");
  }

  /** Restores the device and stream before {@link #guard}, on the same thread. */
  public static void endGuard(long guard) throws NativeCallException {
    int code;
    try {
      code = (int) END_GUARD.invokeExact(guard);
    } catch (Throwable e) {
      throw TensorAbi.fatal(e);
    }
    if (code != 0) {
      throw new NativeCallException("delete_cuda_stream_guard");
    }
  }

  private static long result(int code, Scratch s, String function) throws NativeCallException {
    if (code != 0) {
      throw new NativeCallException(function);
    }
    return s.out.get(JAVA_LONG, 0);
  }
}
