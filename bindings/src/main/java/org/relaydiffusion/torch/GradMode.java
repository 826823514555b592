// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch;

import org.relaydiffusion.torch.ffi.TensorAbi;

/**
 * Whether operators of this thread record what a backward pass needs; restored when closed.
 * LibTorch keeps it by the system's thread, so a virtual thread, which may change that, cannot have
 * one.
 */
public final class GradMode implements AutoCloseable {
  private final Thread owner = Thread.currentThread();
  private final boolean before;
  private boolean closed;

  private GradMode(boolean enabled) {
    PlatformThread.require("a grad mode");
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
   * Restores what was before. Closing twice is allowed.
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
    closed = true;
    TensorAbi.setGradEnabled(before);
  }
}
