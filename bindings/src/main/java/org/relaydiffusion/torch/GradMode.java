// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch;

import org.jspecify.annotations.Nullable;
import org.relaydiffusion.torch.ffi.TensorAbi;

/**
 * Whether operators of this thread record what a backward pass needs; restored when closed.
 * LibTorch keeps it by the system's thread, so a virtual thread, which may change that, cannot have
 * one.
 */
public final class GradMode implements AutoCloseable {
  private static final ThreadLocal<@Nullable GradMode> INNERMOST = new ThreadLocal<>();

  private final Thread owner = Thread.currentThread();
  private final @Nullable GradMode outer;
  private final boolean before;
  private boolean closed;

  private GradMode(boolean enabled) {
    PlatformThread.require("a grad mode");
    outer = INNERMOST.get();
    INNERMOST.set(this);
    before = TensorAbi.gradEnabled();
    TensorAbi.setGradEnabled(enabled);
  }

  /**
   * Records nothing until closed: sampling and evaluation.
   *
   * @throws TorchException on a virtual thread
   */
  public static GradMode noGrad() {
    return new GradMode(false);
  }

  /**
   * Records until closed, inside a {@link #noGrad()} section too.
   *
   * @throws TorchException on a virtual thread
   */
  public static GradMode enableGrad() {
    return new GradMode(true);
  }

  /** Whether this thread records now; a fresh thread does. */
  public static boolean isEnabled() {
    return TensorAbi.gradEnabled();
  }

  /**
   * Restores what was before, and closes grad modes that were opened since. Closing twice is
   * allowed.
   *
   * @throws TorchException on another thread, whose mode this is not
   */
  @Override
  public void close() {
    if (closed) {
      return;
    }
    if (Thread.currentThread() != owner) {
      throw new TorchException(
          "this grad mode belongs to thread %s, not %s"
              .formatted(owner.getName(), Thread.currentThread().getName()));
    }
    TensorAbi.setGradEnabled(before);
    for (GradMode mode = INNERMOST.get(); mode != null && !closed; mode = mode.outer) {
      mode.closed = true;
    }
    INNERMOST.set(outer);
  }
}
