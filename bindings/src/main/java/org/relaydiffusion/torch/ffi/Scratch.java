// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.ffi;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** A few hundred bytes of native memory a thread, for out-parameters and argument stacks. */
public final class Scratch {
  /** The most dimensions that a shape passed through here may have. */
  public static final int MAX_RANK = 32;

  private static final int STACK_SLOTS = 32;
  private static final ThreadLocal<Scratch> CURRENT = ThreadLocal.withInitial(Scratch::new);

  final MemorySegment out;
  final MemorySegment out2;
  final MemorySegment sizes;
  final MemorySegment strides;
  private final MemorySegment stack;

  private Scratch() {
    // Automatic: the memory goes with the thread that owns this.
    Arena arena = Arena.ofAuto();
    MemorySegment all = arena.allocate(ValueLayout.JAVA_LONG, 2 + 2L * MAX_RANK + STACK_SLOTS);
    out = all.asSlice(0, 8);
    out2 = all.asSlice(8, 8);
    sizes = all.asSlice(16, 8L * MAX_RANK);
    strides = all.asSlice(16 + 8L * MAX_RANK, 8L * MAX_RANK);
    stack = all.asSlice(16 + 16L * MAX_RANK, 8L * STACK_SLOTS);
  }

  /** This thread's scratch memory. */
  public static Scratch current() {
    return CURRENT.get();
  }

  /**
   * This thread's argument stack of an operator call, until its next one.
   *
   * @param slots how many of 8 bytes it has at least
   */
  public static MemorySegment stack(int slots) {
    return slots <= STACK_SLOTS
        ? current().stack
        : Arena.ofAuto().allocate(ValueLayout.JAVA_LONG, slots);
  }

  MemorySegment sizes(long[] values) {
    MemorySegment.copy(values, 0, sizes, ValueLayout.JAVA_LONG, 0, values.length);
    return sizes;
  }

  MemorySegment strides(long[] values) {
    MemorySegment.copy(values, 0, strides, ValueLayout.JAVA_LONG, 0, values.length);
    return strides;
  }
}
