// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.testing;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.function.Supplier;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.SimulatedCalls;

/**
 * CUDA devices in the CPU's memory, for a whole process, until closed. A tensor that is made on one
 * or moved there says that it is, so that all code goes the way it goes on CUDA, while LibTorch
 * computes on the CPU:
 *
 * <ul>
 *   <li>a CPU operand beside one of a device is an error, where it is one for LibTorch;
 *   <li>copies between the CPU and a device, and waits of the CPU, are counted;
 *   <li>what is called on a device is recorded, with the numbers that the host gives: what a
 *       captured CUDA graph would repeat.
 * </ul>
 *
 * <p>What it says is of calls, not of kernels. It knows neither streams nor other libraries than
 * LibTorch.
 */
public final class SimulatedGpu implements AutoCloseable, DeviceListener {
  /** The first device. */
  public static final Device DEVICE = Device.cuda(0);

  /** The second. */
  public static final Device OTHER_DEVICE = Device.cuda(1);

  private static final int DEVICES = 2;

  private final List<HostEvent> events = Collections.synchronizedList(new ArrayList<>());
  private final List<String> calls = Collections.synchronizedList(new ArrayList<>());
  private final List<AssertionError> refusals = Collections.synchronizedList(new ArrayList<>());

  /** How many events {@link #takeTraffic} has given. */
  private int taken;

  private SimulatedGpu() {}

  /** Begins; one at a time. */
  public static SimulatedGpu open() {
    SimulatedGpu gpu = new SimulatedGpu();
    SimulatedCalls.begin(gpu, DEVICES);
    return gpu;
  }

  /**
   * What some work did.
   *
   * @param value its result
   * @param traffic what passed between the CPU and the devices meanwhile
   * @param calls what was called on the devices, in order: each call's operator, its operands'
   *     types and shapes, and all numbers that the host gave it
   */
  public record Observed<T>(T value, HostTraffic traffic, List<String> calls) {}

  /** Does some work. */
  public <T> Observed<T> observe(Supplier<T> work) {
    int event = events.size();
    int call = calls.size();
    T value = work.get();
    return new Observed<>(
        value,
        new HostTraffic(List.copyOf(events.subList(event, events.size()))),
        List.copyOf(calls.subList(call, calls.size())));
  }

  /** What passed between the CPU and the devices since this or {@link #open} was called last. */
  public HostTraffic takeTraffic() {
    synchronized (events) {
      HostTraffic traffic = new HostTraffic(List.copyOf(events.subList(taken, events.size())));
      taken = events.size();
      return traffic;
    }
  }

  /** The {@link Observed#traffic} of some work. */
  public HostTraffic during(Runnable work) {
    return observe(
            () -> {
              work.run();
              return true;
            })
        .traffic();
  }

  /** The {@link Observed#calls} of some work. */
  public List<String> calls(Runnable work) {
    return observe(
            () -> {
              work.run();
              return true;
            })
        .calls();
  }

  /** Forgets calls that were refused: for a test that makes one. Returns their messages. */
  public List<String> takeRefusals() {
    List<String> messages = refusals.stream().map(Throwable::getMessage).toList();
    refusals.clear();
    return messages;
  }

  @Override
  public void event(HostEvent.Kind kind, String call) {
    events.add(HostEvent.now(kind, call));
  }

  @Override
  public void call(String text) {
    calls.add(text);
  }

  @Override
  public void refused(String message) {
    refusals.add(new AssertionError(message));
  }

  /**
   * Ends it.
   *
   * @throws AssertionError when a call was refused, whoever caught that: code that falls back on a
   *     second way must not hide it
   */
  @Override
  public void close() {
    SimulatedCalls.end();
    if (!refusals.isEmpty()) {
      AssertionError first = refusals.removeFirst();
      refusals.forEach(first::addSuppressed);
      throw first;
    }
  }
}
