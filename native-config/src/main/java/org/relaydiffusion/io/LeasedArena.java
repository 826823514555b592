// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.io;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/**
 * A shared arena whose memory outlives its {@link #close()} for as long as native code holds it.
 * Java cannot see when a tensor's storage ends, so whoever hands memory to native code leaves a
 * {@link Lease}, which is asked. Memory that nobody holds is released by {@code close()} itself,
 * else by the first {@link #sweep()} after the last lease, and the last native call with a segment
 * of the arena, has ended.
 *
 * <p>Safe to use from several threads.
 */
public final class LeasedArena implements Arena {
  private static final int PRUNE_AT = 512;
  private static final Map<MemorySegment.Scope, LeasedArena> OPEN = new ConcurrentHashMap<>();

  /** Closed, but held. Guarded by itself; its size is kept apart for a look that costs nothing. */
  private static final List<LeasedArena> CLOSING = new ArrayList<>();

  private static volatile boolean anyClosing;

  private final Arena arena;
  private final List<Lease> leases = new ArrayList<>();
  private int pruneAt = PRUNE_AT;
  private volatile boolean closed;

  /** A hold of native code on an arena's memory. */
  public interface Lease {
    /** Whether native code has let go of the memory for good. */
    boolean isOver();

    /** Called once, some time after it was over and before the memory is released. */
    void end();
  }

  private LeasedArena(Arena arena) {
    this.arena = arena;
    OPEN.put(arena.scope(), this);
  }

  /** An arena, which the caller closes. */
  @SuppressWarnings("MustBeClosedChecker") // Closed by release().
  public static LeasedArena open() {
    return new LeasedArena(Arena.ofShared());
  }

  /** The arena that memory is from, unless it is from one of another kind or released already. */
  public static Optional<LeasedArena> of(MemorySegment memory) {
    return Optional.ofNullable(OPEN.get(memory.scope()));
  }

  /**
   * Keeps the memory until {@code lease} is over.
   *
   * @throws IllegalStateException when the arena is closed
   */
  public synchronized void lease(Lease lease) {
    checkOpen();
    if (leases.size() >= pruneAt) {
      endThoseOver();
      pruneAt = Math.max(PRUNE_AT, 2 * leases.size());
    }
    leases.add(lease);
  }

  @Override
  public synchronized MemorySegment allocate(long byteSize, long byteAlignment) {
    checkOpen();
    return arena.allocate(byteSize, byteAlignment);
  }

  @Override
  public MemorySegment.Scope scope() {
    return arena.scope();
  }

  /** Whether {@link #close()} was called; the memory may still be there. */
  public boolean isClosed() {
    return closed;
  }

  /**
   * Releases the memory: now, or when native code has let go of it. No new lease is given from now
   * on. Closing twice is allowed.
   */
  @Override
  public void close() {
    synchronized (this) {
      if (closed) {
        return;
      }
      closed = true;
    }
    if (!tryRelease()) {
      synchronized (CLOSING) {
        CLOSING.add(this);
        anyClosing = true;
      }
      // The last lease may have ended between the two.
      sweep();
    }
  }

  /** Whether a closed arena waits for native code to let go of its memory; costs nothing. */
  public static boolean isAnyClosing() {
    return anyClosing;
  }

  /** Releases the memory of those closed arenas that native code has let go of. */
  public static void sweep() {
    synchronized (CLOSING) {
      CLOSING.removeIf(LeasedArena::tryRelease);
      anyClosing = !CLOSING.isEmpty();
    }
  }

  private synchronized boolean tryRelease() {
    endThoseOver();
    if (!leases.isEmpty()) {
      return false;
    }
    try {
      arena.close();
    } catch (IllegalStateException e) {
      // A thread reads the memory in a native call just now.
      return false;
    }
    OPEN.remove(arena.scope());
    return true;
  }

  private void endThoseOver() {
    leases.removeIf(lease -> {
      boolean over = lease.isOver();
      if (over) {
        lease.end();
      }
      return over;
    });
  }

  private void checkOpen() {
    if (closed) {
      throw new IllegalStateException("this arena is closed");
    }
  }
}
