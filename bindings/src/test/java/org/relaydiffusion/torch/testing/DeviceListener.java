// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.testing;

/** Is told what happens on simulated devices, from any thread. */
public interface DeviceListener {
  /** Elements were copied between the CPU and a device, or the CPU waited for one. */
  void event(HostEvent.Kind kind, String call);

  /** A call that computes on a device, with all that the host gives it. */
  void call(String text);

  /** A call that LibTorch would refuse because of its operands' devices. */
  void refused(String message);
}
