// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.transfer;

import java.util.ArrayList;
import java.util.List;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;

/**
 * Small tensors that were computed on the CPU and go to a device together: in one copy, which the
 * CPU does not wait for. For the CPU they are used where they are.
 */
public final class HostValues {
  private final Device device;
  private final boolean packs;
  private final List<Tensor> values = new ArrayList<>();
  private List<Tensor> there = List.of();

  /** Creates an empty list of tensors for a device. */
  public HostValues(Device device) {
    this(device, device.type() != Device.Type.CPU);
  }

  /** Packs for the CPU, too, which tests can look at. */
  HostValues(Device device, boolean packs) {
    this.device = device;
    this.packs = packs;
  }

  /** A tensor on the device, once {@link #send()} was called. */
  @FunctionalInterface
  public interface Sent {
    /** What was not needed. */
    Sent NOTHING =
        () -> {
          throw new IllegalStateException("nothing was sent");
        };

    /** Returns the tensor; it belongs to the scope in which {@link #send()} was called. */
    Tensor get();
  }

  /**
   * Adds a tensor.
   *
   * @param value on the CPU; it must stay open and unchanged until it is sent, on the CPU until it
   *     is no longer used
   */
  public Sent add(Tensor value) {
    int number = values.size();
    values.add(value);
    return () -> {
      if (number >= there.size()) {
        throw new IllegalStateException("the values have not been sent");
      }
      return there.get(number);
    };
  }

  /** Begins the copy of all tensors, which belong to the current scope. */
  public void send() {
    there = packs ? packed() : List.copyOf(values);
  }

  private List<Tensor> packed() {
    List<Tensor> parts = new ArrayList<>();
    try (TensorScope scope = TensorScope.open()) {
      ByteLayout layout = new ByteLayout();
      values.forEach(value -> layout.add(value.dtype(), value.shape()));
      Tensor memory = layout.allocate(device);
      for (int i = 0; i < values.size(); i++) {
        layout.part(memory, i).copyFrom(values.get(i));
      }
      Tensor all = ByteLayout.send(memory, device);
      for (int i = 0; i < values.size(); i++) {
        parts.add(scope.keep(layout.part(all, i)));
      }
    }
    return parts;
  }
}
