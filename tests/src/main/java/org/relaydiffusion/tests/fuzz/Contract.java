// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.tests.fuzz;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.RdmException;
import org.relaydiffusion.torch.Tensor;

/**
 * The contract for every input of every target: the reader returns or throws an {@link
 * RdmException} with a one-line message, within two seconds of processor time and the heap of the
 * process (256 MB), and leaves no live tensor. Counts the inputs, and records the worst of them.
 */
final class Contract {
  /** The maximum processor time of an input, in nanoseconds. */
  static final long MOST_NANOS = 2_000_000_000L;

  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  private final Target target;
  private final long tensors = Tensor.liveCount();
  private long inputs;
  private long refused;
  private long worstNanos;
  private long mostAllocated;

  Contract(Target target) {
    this.target = target;
  }

  /** Thrown for an input with which a reader violates the contract. */
  static final class Finding extends RuntimeException {
    private static final long serialVersionUID = 1L;

    Finding(String what, @Nullable Throwable cause) {
      super(what, cause);
    }
  }

  /**
   * Reads an input.
   *
   * @throws Finding if the contract is violated
   */
  void check(byte[] input) {
    long thread = Thread.currentThread().threadId();
    long allocated = THREADS.getThreadAllocatedBytes(thread);
    long began = THREADS.getCurrentThreadCpuTime();
    Optional<Throwable> thrown = read(input);
    long nanos = THREADS.getCurrentThreadCpuTime() - began;
    inputs++;
    // The first input loads classes, which Jazzer rewrites: it has the same limits, but says
    // nothing of the reader.
    if (inputs > 1) {
      worstNanos = Math.max(worstNanos, nanos);
      mostAllocated = Math.max(mostAllocated, THREADS.getThreadAllocatedBytes(thread) - allocated);
    }
    thrown.ifPresent(this::judge);
    if (nanos > MOST_NANOS) {
      throw new Finding(
          String.format(Locale.ROOT, "%s took %.1f s", target.text(), nanos / 1e9),
          thrown.orElse(null));
    }
    if (Tensor.liveCount() != tensors) {
      throw new Finding(
          "%s left %s tensors".formatted(target.text(), Tensor.liveCount() - tensors),
          thrown.orElse(null));
    }
  }

  private Optional<Throwable> read(byte[] input) {
    try {
      target.reader().read(input);
      return Optional.empty();
    } catch (Throwable e) {
      return Optional.of(e);
    }
  }

  private void judge(Throwable thrown) {
    if (!(thrown instanceof RdmException)) {
      throw new Finding("%s threw %s".formatted(target.text(), thrown), thrown);
    }
    refused++;
    String message = String.valueOf(thrown.getMessage());
    // Controls, C1 among them, and what changes the direction of writing.
    if (message.codePoints().anyMatch(Contract::isUnprintable)) {
      throw new Finding(
          "%s printed what came from a file: %s".formatted(target.text(), message), thrown);
    }
  }

  private static boolean isUnprintable(int c) {
    return switch (Character.getType(c)) {
      case Character.CONTROL, Character.FORMAT, Character.LINE_SEPARATOR -> true;
      default -> false;
    };
  }

  /** What was read so far. */
  Totals totals() {
    return new Totals(inputs, refused, worstNanos, mostAllocated);
  }
}
