// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.transfer;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.Operator;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;

/** Where the elements of several contiguous tensors lie in one tensor of bytes. */
public final class ByteLayout {
  private static final Operator VIEW =
      Operator.of("aten::view.dtype(Tensor(a) self, ScalarType dtype) -> Tensor(a)");

  /** That of LibTorch's own tensors on the CPU, which is enough for any kernel's vectors. */
  private static final int ALIGNMENT = 64;

  private final List<Part> parts = new ArrayList<>();
  private long bytes;

  private record Part(DType dtype, long[] sizes, long offset, long bytes) {}

  /** Adds a tensor. Returns its number, from 0 on. */
  public int add(DType dtype, long... sizes) {
    long length = Arrays.stream(sizes).reduce(dtype.byteSize(), Math::multiplyExact);
    parts.add(new Part(dtype, sizes.clone(), bytes, length));
    bytes = Math.addExact(bytes, Math.ceilDivExact(length, ALIGNMENT) * ALIGNMENT);
    return parts.size() - 1;
  }

  /** Returns the number of bytes of all tensors, with what aligns them. */
  public long bytes() {
    return bytes;
  }

  /** Returns where the elements of a tensor begin. */
  public long offset(int part) {
    return parts.get(part).offset;
  }

  /**
   * Makes memory for all tensors: uint8 [{@link #bytes}] on the CPU, pinned if it is to be copied
   * to a CUDA device.
   *
   * @throws org.relaydiffusion.RdmException if there is not enough
   */
  public Tensor allocate(Device target) {
    // LibTorch has no memory to pin for an empty tensor.
    return target.type() == Device.Type.CPU || bytes == 0
        ? Torch.empty(DType.UINT8, Device.CPU, bytes)
        : Torch.emptyPinned(DType.UINT8, bytes);
  }

  /**
   * Copies all tensors in one copy, which this thread does not wait for.
   *
   * @param memory uint8 [{@link #bytes}], as {@link #allocate} made it
   * @return the bytes on the device; on the CPU the same memory
   */
  public static Tensor send(Tensor memory, Device device) {
    return device.type() == Device.Type.CPU ? memory.to(device) : Shapes.toAsync(memory, device);
  }

  /**
   * Returns a tensor of the bytes, which it shares; it belongs to the current scope.
   *
   * @param all uint8 [{@link #bytes}], on any device
   */
  public Tensor part(Tensor all, int number) {
    Part part = parts.get(number);
    try (TensorScope scope = TensorScope.open()) {
      if (part.bytes == 0) {
        return scope.keep(Torch.empty(part.dtype, all.device(), part.sizes));
      }
      Tensor mine = Shapes.narrow(all, 0, part.offset, part.bytes);
      return scope.keep(VIEW.call().arg(mine).arg(part.dtype).tensor().reshape(part.sizes));
    }
  }
}
