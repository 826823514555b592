// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.ffi;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/** {@code c10::cuda::CUDAGuard}: the current device of a thread, restored when it is deleted. */
public final class CudaGuardAbi {
  private static final MethodHandle CREATE =
      Symbols.code("aoti_torch_create_cuda_guard", JAVA_INT, ADDRESS);
  private static final MethodHandle DELETE = Symbols.code("aoti_torch_delete_cuda_guard", ADDRESS);

  private CudaGuardAbi() {}

  /** Makes a device the current one. */
  public static MemorySegment create(int device) throws NativeCallException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment guard = arena.allocate(ADDRESS);
      if ((int) CREATE.invokeExact(device, guard) != 0) {
        throw new NativeCallException("aoti_torch_create_cuda_guard");
      }
      return guard.get(ADDRESS, 0);
    } catch (NativeCallException e) {
      throw e;
    } catch (Throwable e) {
      throw TensorAbi.fatal(e);
    }
  }

  /** Restores the device from before; to be called on the thread of {@link #create}, once. */
  public static void delete(MemorySegment guard) {
    try {
      if ((int) DELETE.invokeExact(guard) != 0) {
        throw new NativeCallException("aoti_torch_delete_cuda_guard");
      }
    } catch (Throwable e) {
      throw TensorAbi.fatal(e);
    }
  }
}
