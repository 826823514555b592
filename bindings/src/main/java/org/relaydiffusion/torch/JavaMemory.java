// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.io.LeasedArena;
import org.relaydiffusion.torch.ffi.NativeCallException;
import org.relaydiffusion.torch.ffi.StorageAbi;
import org.relaydiffusion.torch.ffi.TensorAbi;

/**
 * Tensors over memory that Java owns. The memory stays until LibTorch's storage of it ends, which
 * views, graphs and gradients may share long after the tensor made here is closed.
 */
final class JavaMemory {
  /**
   * Of memory that the collector frees, or nobody does (a direct buffer's is one of these): only
   * their class tells them from the scopes of arenas that are closed.
   */
  private static final Set<Class<?>> NEVER_CLOSED =
      Set.of(
          Arena.ofAuto().scope().getClass(),
          Arena.global().scope().getClass(),
          MemorySegment.ofBuffer(ByteBuffer.allocateDirect(1)).scope().getClass());

  /** Holds on memory that nobody closes. */
  private static final List<Hold> HOLDS = new ArrayList<>();

  private static volatile boolean anyHold;
  private static int freed;

  private JavaMemory() {}

  /** A storage's hold on memory. */
  private static final class Hold implements LeasedArena.Lease {
    private final ReadOnlyMemory.@Nullable Range range;
    private final Optional<MemorySegment> notice = StorageAbi.newNotice();

    /** Kept from the collector. */
    @SuppressWarnings("unused")
    private final MemorySegment memory;

    private volatile boolean neverMade;

    Hold(MemorySegment memory, long bytes) {
      this.memory = memory;
      this.range =
          memory.isReadOnly()
              ? new ReadOnlyMemory.Range(memory.address(), memory.address() + bytes)
              : null;
      if (range != null) {
        ReadOnlyMemory.add(range);
      }
    }

    @Override
    public boolean isOver() {
      return neverMade || notice.map(StorageAbi::isRaised).orElse(false);
    }

    @Override
    public void end() {
      if (range != null) {
        ReadOnlyMemory.remove(range);
      }
    }
  }

  /** A tensor of these elements where they lie. */
  static Tensor view(TensorData data) {
    MemorySegment memory = data.memory();
    long bytes = data.spanBytes();
    Hold hold = hold(data, memory, bytes);
    long handle;
    boolean made = false;
    try {
      handle =
          TensorAbi.fromBlob(memory.address(), data.shape(), data.strides(), data.dtype().code());
      made = true;
    } catch (NativeCallException e) {
      throw TorchException.failed("a view of " + data, e);
    } finally {
      hold.neverMade = !made;
    }
    // Without a notice the hold never ends: memory is kept too long rather than freed too soon.
    hold.notice.ifPresent(n -> StorageAbi.notifyEnd(handle, memory.address(), bytes, n));
    return new Tensor(handle);
  }

  /** Makes sure that {@link StorageAbi} knows this LibTorch's storages, if it can. */
  static void learnStorages() {
    if (!StorageAbi.isKnown()) {
      MemorySegment number = Arena.ofAuto().allocate(ValueLayout.JAVA_LONG);
      Torch.fromData(TensorData.contiguous(DType.INT64, new long[] {1}, number)).close();
    }
  }

  private static Hold hold(TensorData data, MemorySegment memory, long bytes) {
    if (!memory.scope().isAlive()) {
      throw new TorchException("the memory of %s is closed".formatted(data));
    }
    Optional<LeasedArena> arena = LeasedArena.of(memory);
    if (arena.isEmpty() && !outlivesItsUsers(memory)) {
      throw new TorchException(
          "the memory of %s is from an arena that may be closed while tensors lie in it: use a "
                  .formatted(data)
              + "LeasedArena or Arena.ofAuto()");
    }
    Hold hold = new Hold(memory, bytes);
    if (arena.isPresent()) {
      try {
        arena.get().lease(hold);
      } catch (IllegalStateException _) {
        hold.end();
        throw new TorchException("the memory of %s is closed".formatted(data));
      }
    } else {
      synchronized (HOLDS) {
        sweep();
        HOLDS.add(hold);
        anyHold = true;
      }
    }
    return hold;
  }

  private static boolean outlivesItsUsers(MemorySegment memory) {
    return NEVER_CLOSED.contains(memory.scope().getClass());
  }

  /** To be called when a tensor was freed: lets go of memory whose last storage went with it. */
  static void tensorFreed() {
    if (LeasedArena.isAnyClosing()) {
      LeasedArena.sweep();
    }
    if (anyHold) {
      synchronized (HOLDS) {
        // As many frees as there are holds pay for a look at each.
        if (++freed >= HOLDS.size()) {
          sweep();
        }
      }
    }
  }

  private static void sweep() {
    freed = 0;
    HOLDS.removeIf(hold -> {
      boolean over = hold.isOver();
      if (over) {
        hold.end();
      }
      return over;
    });
    anyHold = !HOLDS.isEmpty();
  }
}
