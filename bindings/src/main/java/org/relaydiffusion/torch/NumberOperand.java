// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.torch.ffi.NativeCallException;
import org.relaydiffusion.torch.ffi.TensorAbi;

/**
 * A number as the second operand of an operator: a 0-dim tensor that each thread has once, and
 * writes anew for each call. So it is for calls that have read their operands when they return, and
 * keep none: on the CPU, where no gradient is recorded.
 */
final class NumberOperand {
  private static final ThreadLocal<NumberOperand> CURRENT =
      ThreadLocal.withInitial(NumberOperand::new);
  private static final long[] NO_AXES = {};

  // Automatic: the memory goes with the thread that owns this.
  private final MemorySegment memory = Arena.ofAuto().allocate(ValueLayout.JAVA_DOUBLE);
  private final Tensor float32 = over(DType.FLOAT32);
  private final Tensor float64 = over(DType.FLOAT64);

  private NumberOperand() {}

  /**
   * The number as an operand beside {@code a}, until this thread's next one; null where it needs a
   * tensor of its own. A float32 tensor gets it in float32, which is what LibTorch would make of a
   * float64 one, by a call more. In half precision that would not do: there kernels compute with
   * the float32 value of the number that they are given. Beside integers and truth values it
   * decides the type of the result, which is float32.
   */
  static @Nullable Tensor beside(Tensor a, double value) {
    if (a == null || !a.isDenseOnCpu() || Autograd.records(a)) {
      return null;
    }
    NumberOperand operand = CURRENT.get();
    DType type = a.dtype();
    if (type == DType.FLOAT32 || !type.isFloatingPoint()) {
      operand.memory.set(ValueLayout.JAVA_FLOAT, 0, (float) value);
      return operand.float32;
    }
    if (type != DType.FLOAT64 && a.rank() == 0) {
      return null;
    }
    operand.memory.set(ValueLayout.JAVA_DOUBLE, 0, value);
    return operand.float64;
  }

  private Tensor over(DType type) {
    try {
      long handle = TensorAbi.fromBlob(memory.address(), NO_AXES, NO_AXES, type.code());
      return Tensor.ofLibrary(handle, this);
    } catch (NativeCallException e) {
      throw TorchException.failed("a tensor of a number", e);
    }
  }
}
