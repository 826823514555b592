// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.checkpoint.pickle;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Limits for all pickles of one file together, which bound memory and time for any file. An
 * official training state of a small network takes some 20,000 opcodes.
 */
public final class PickleBudget {
  private static final long MOST_OPCODES = 2_000_000;

  /** The cost of an object, which takes more memory than most values created by one opcode. */
  private static final long INERT_OBJECT = 8;

  private static final long MOST_TEXT = 64L << 20;
  private static final long ALIGNMENT = 64;

  private final Arena arena;
  private long opcodes = MOST_OPCODES;
  private long text = MOST_TEXT;
  private long decoded;

  /**
   * Creates a budget.
   *
   * @param arena owns decoded data; the caller closes it
   * @param fileSize maximum number of bytes to decode
   */
  public PickleBudget(Arena arena, long fileSize) {
    this.arena = arena;
    this.decoded = fileSize;
  }

  /** Counts {@code steps} of work, where an opcode or the copy of an item is one step. */
  void steps(long steps) {
    opcodes -= steps;
    if (opcodes < 0) {
      throw new BadPickleException("has more than %s opcodes".formatted(MOST_OPCODES));
    }
  }

  /** Counts an object of an unknown class. */
  void inertObject() {
    steps(INERT_OBJECT);
  }

  void text(long bytes) {
    text -= bytes;
    if (text < 0) {
      throw new BadPickleException("has more than %s bytes of text".formatted(MOST_TEXT));
    }
  }

  MemorySegment decoded(long bytes) {
    decoded -= bytes;
    if (decoded < 0) {
      throw new BadPickleException("decodes to more bytes than the file has");
    }
    return arena.allocate(bytes, ALIGNMENT);
  }
}
