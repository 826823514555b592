// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch;

import org.jspecify.annotations.Nullable;
import org.relaydiffusion.torch.OperatorSchema.Parameter;

/**
 * What tests put in the place of CUDA devices, so that code for them runs where there is none: a
 * tensor on such a device is a CPU tensor whose {@link Tensor#device()} says otherwise. It sees
 * every call about which LibTorch would ask where its operands lie, and each that moves elements
 * between the host and a device.
 *
 * <p>Tests alone set {@code rdm.simulatedDevices}. Everywhere else {@link #current} is a constant
 * null, so that the compiler removes all that depends on it.
 */
interface DeviceSimulation {
  /** The simulation in use, or null: the devices are what LibTorch says. */
  static @Nullable DeviceSimulation current() {
    return Installed.ALLOWED ? Installed.simulation : null;
  }

  /** Begins a simulation, of the whole process, or with null ends it. */
  static void install(@Nullable DeviceSimulation simulation) {
    if (!Installed.ALLOWED) {
      throw new IllegalStateException("devices are simulated with -Drdm.simulatedDevices=true");
    }
    Installed.simulation = simulation;
  }

  /** Where it is kept. */
  final class Installed {
    private static final boolean ALLOWED = Boolean.getBoolean("rdm.simulatedDevices");
    private static volatile @Nullable DeviceSimulation simulation;

    private Installed() {}
  }

  /** How many devices there are. */
  int deviceCount();

  /**
   * An operator is about to be called.
   *
   * @throws TorchException where LibTorch would refuse operands that lie on different devices
   */
  void calling(OperatorCall call);

  /** The bits of an argument of {@link #calling}'s for LibTorch, which knows the CPU only. */
  long bits(Parameter parameter, long bits);

  /** {@link #calling}'s operator has returned a tensor: says where it lies. */
  void returned(OperatorCall call, Tensor result);

  /** A tensor without elements of its own yet was made for a device. */
  void made(Tensor tensor, Device device);

  /** {@code to.copy_(from)} is about to be called. */
  void copying(Tensor to, Tensor from);

  /** {@code a - alpha b} is about to be computed by a function that is no operator of the C ABI. */
  void subtracting(Tensor a, Tensor b, double alpha);

  /** {@link #subtracting}'s result: says where it lies. */
  void subtracted(Tensor a, Tensor b, Tensor result);

  /** The one element of a tensor is about to be read. */
  void reading(Tensor tensor);
}
