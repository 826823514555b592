// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.cpp;

import static java.lang.invoke.MethodType.methodType;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.util.ArrayList;
import java.util.List;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.ffi.TensorAbi;

/**
 * Further handles of tensors, for as long as this is open: C++ may use them whatever becomes of the
 * tensors meanwhile. {@link Tensor} shows its handle to nobody outside its package, so this asks
 * for it by name.
 */
public final class TensorHandles implements AutoCloseable {
  private static final MethodHandle FURTHER_HANDLE = method("furtherHandle", long.class);
  private static final MethodHandle CHECK_WRITABLE = method("checkWritable", void.class);

  private final List<Long> handles = new ArrayList<>();

  private TensorHandles() {}

  /**
   * Handles to read.
   *
   * @throws org.relaydiffusion.torch.TorchException when a tensor is closed or another thread's
   */
  public static TensorHandles of(List<Tensor> tensors) {
    TensorHandles all = new TensorHandles();
    try {
      tensors.forEach(t -> all.handles.add((Long) invoke(FURTHER_HANDLE, t)));
      return all;
    } catch (RuntimeException e) {
      all.close();
      throw e;
    }
  }

  /**
   * Refuses a tensor in read-only memory, where a write would end the process.
   *
   * @throws org.relaydiffusion.torch.TorchException when it is
   */
  public static void checkWritable(Tensor tensor) {
    invoke(CHECK_WRITABLE, tensor);
  }

  /** The addresses of the C++ tensors. */
  List<Long> addresses() {
    return handles;
  }

  /** Where the elements of each tensor begin, on its device. */
  public List<Long> dataPointers() {
    return handles.stream().map(TensorAbi::dataPointer).toList();
  }

  /** Gives the handles back. */
  @Override
  public void close() {
    handles.forEach(TensorAbi::delete);
    handles.clear();
  }

  private static Object invoke(MethodHandle method, Tensor tensor) {
    try {
      return method.invoke(tensor);
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    }
  }

  private static MethodHandle method(String name, Class<?> result) {
    try {
      return MethodHandles.privateLookupIn(Tensor.class, MethodHandles.lookup())
          .findVirtual(Tensor.class, name, methodType(result));
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }
}
