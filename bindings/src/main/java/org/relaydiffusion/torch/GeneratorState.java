// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * The bytes that {@code torch.get_rng_state()} and {@code torch.cuda.get_rng_state()} give, checked
 * as LibTorch checks them: what it refuses would end the process.
 */
final class GeneratorState {
  /** {@code at::CPUGeneratorImplState}: the Mersenne twister and its two cached normal draws. */
  static final int CPU_BYTES = 5056;

  /** Seed and offset of a counter-based generator (Philox), 8 bytes each. */
  static final int CUDA_BYTES = 16;

  private static final int TWISTER_WORDS = 624;
  private static final int LEFT_AT = 8;
  private static final int SEEDED_AT = 12;
  private static final int NEXT_AT = 16;
  private static final int NORMAL_CACHED_AT = 5040;
  private static final int FLOAT_CACHED_AT = 5052;
  private static final int OFFSET_AT = 8;
  private static final int OFFSET_STEP = 4;

  private GeneratorState() {}

  static void check(byte[] state, Device device) {
    if (device.type() == Device.Type.CUDA) {
      checkPhilox(state, "on " + device);
    } else {
      check(state, CPU_BYTES, "on " + device, isTwister(bytes(state)));
    }
  }

  /**
   * Accepts the state of a counter-based generator.
   *
   * @param which names the generator in the message
   */
  static void checkPhilox(byte[] state, String which) {
    check(state, CUDA_BYTES, which, isPhilox(bytes(state)));
  }

  private static void check(byte[] state, int expected, String which, boolean isOne) {
    if (state.length != expected) {
      throw new TorchException(
          "the state of a generator %s has %s bytes, not %s"
              .formatted(which, expected, state.length));
    }
    if (!isOne) {
      throw new TorchException(
          "these %s bytes are no state of a generator %s".formatted(expected, which));
    }
  }

  private static ByteBuffer bytes(byte[] state) {
    return ByteBuffer.wrap(state).order(ByteOrder.nativeOrder());
  }

  /** The state of a CUDA generator that was just seeded. */
  static byte[] philox(long seed) {
    return philox(seed, 0);
  }

  /** The state of a counter-based generator. */
  static byte[] philox(long seed, long offset) {
    return ByteBuffer.allocate(CUDA_BYTES)
        .order(ByteOrder.nativeOrder())
        .putLong(seed)
        .putLong(offset)
        .array();
  }

  /** The seed in a counter-based generator's state. */
  static long philoxSeed(byte[] state) {
    return bytes(state).getLong(0);
  }

  /** The offset in a counter-based generator's state. */
  static long philoxOffset(byte[] state) {
    return bytes(state).getLong(OFFSET_AT);
  }

  /**
   * Beyond LibTorch's own check: it believes {@code left} more words to lie behind the {@code
   * next}th, and would read what lies behind its memory if they do not.
   */
  private static boolean isTwister(ByteBuffer bytes) {
    if (bytes.capacity() != CPU_BYTES) {
      return false;
    }
    int left = bytes.getInt(LEFT_AT);
    long next = bytes.getLong(NEXT_AT);
    boolean seeded = left == 1 && next == 0;
    boolean drawn =
        left > 0 && left <= TWISTER_WORDS && next > 0 && left + next == TWISTER_WORDS + 1;
    return bytes.getInt(SEEDED_AT) == 1
        && (seeded || drawn)
        && (bytes.getInt(NORMAL_CACHED_AT) & ~1) == 0
        && (bytes.get(FLOAT_CACHED_AT) & ~1) == 0;
  }

  private static boolean isPhilox(ByteBuffer bytes) {
    if (bytes.capacity() != CUDA_BYTES) {
      return false;
    }
    long offset = bytes.getLong(OFFSET_AT);
    return offset >= 0 && offset % OFFSET_STEP == 0;
  }
}
