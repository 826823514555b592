// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.torch.ffi.CudaRandomAbi;
import org.relaydiffusion.torch.ffi.RandomAbi;

/**
 * Native generators that were closed, by device: LibTorch's factories have no counterpart that
 * frees. Seeding anew resets every bit of their state.
 */
final class SpareGenerators {
  private static final Map<Device, Deque<MemorySegment>> SPARE = new HashMap<>();

  private SpareGenerators() {}

  /** A generator of its own, seeded. */
  static RandomSource.Native take(Device device, long seed) {
    if (device.type() != Device.Type.CPU
        && DeviceSimulation.current() != null
        && take(Device.CPU, seed) instanceof RandomSource.OnCpu cpu) {
      return new RandomSource.Simulated(device, cpu);
    }
    if (device.type() == Device.Type.CUDA) {
      CudaGraph.refuseDuringCapture("making a generator of " + device);
    }
    MemorySegment spare = poll(device);
    if (spare == null) {
      spare = create(device, seed);
    }
    RandomSource.Native source =
        device.type() == Device.Type.CPU
            ? new RandomSource.OnCpu(spare, false)
            : new RandomSource.OnCuda(device, spare);
    source.seed(seed);
    return source;
  }

  private static @Nullable MemorySegment poll(Device device) {
    synchronized (SPARE) {
      Deque<MemorySegment> spare = SPARE.get(device);
      return spare == null ? null : spare.poll();
    }
  }

  private static MemorySegment create(Device device, long seed) {
    return device.type() == Device.Type.CPU
        ? RandomAbi.create(Arena.global(), seed)
        : CudaRandomAbi.create(Arena.global(), device.index());
  }

  /** Takes back what {@link #take} gave. */
  static void give(RandomSource.Native source) {
    if (source instanceof RandomSource.Simulated simulated) {
      give(simulated.cpu());
      return;
    }
    synchronized (SPARE) {
      SPARE.computeIfAbsent(source.device(), _ -> new ArrayDeque<>()).push(source.generator());
    }
  }
}
