// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Owns every tensor that its thread makes while it is the innermost open scope:
 *
 * <pre>{@code
 * try (var scope = TensorScope.open()) {
 *   Tensor h = x.silu();
 *   return scope.keep(h.mul(h));
 * }
 * }</pre>
 *
 * <p>Scopes nest, and close in the reverse order of their opening. A tensor in a scope belongs to
 * the thread that opened it: its use on another thread is an error, not a race. That thread is a
 * platform thread: LibTorch keeps what belongs to a thread by the system's, and a virtual one that
 * waits for a lock may go on on another.
 */
public final class TensorScope implements AutoCloseable {
  private static final ThreadLocal<@Nullable TensorScope> INNERMOST = new ThreadLocal<>();
  private static final int COMPACT_AT = 512;

  private final Thread owner = Thread.currentThread();
  private final @Nullable TensorScope outer;
  private List<Tensor> tensors = new ArrayList<>();
  private int compactAt = COMPACT_AT;
  private boolean closed;

  private TensorScope() {
    outer = INNERMOST.get();
    INNERMOST.set(this);
  }

  /**
   * Opens a scope on this thread.
   *
   * @throws TorchException on a virtual thread
   */
  public static TensorScope open() {
    PlatformThread.require("a tensor scope");
    return new TensorScope();
  }

  static @Nullable TensorScope current() {
    return INNERMOST.get();
  }

  /**
   * Hands a tensor to the enclosing scope; without one it belongs to the caller, who closes it. A
   * tensor that this scope does not own (an operand, a parameter's value) stays its owner's.
   *
   * @return the same tensor
   */
  public Tensor keep(Tensor tensor) {
    TorchException.requireNonNull(tensor, "tensor");
    check();
    if (tensor.isClosed()) {
      throw new TorchException("a closed tensor cannot be kept");
    }
    if (!tensor.isOwnedBy(this)) {
      return tensor;
    }
    if (outer != null) {
      tensor.moveTo(outer);
    } else {
      tensor.release();
    }
    return tensor;
  }

  void add(Tensor tensor) {
    if (tensors.size() >= compactAt) {
      tensors.removeIf(t -> !t.isOwnedBy(this));
      compactAt = Math.max(COMPACT_AT, 2 * tensors.size());
    }
    tensors.add(tensor);
  }

  Thread owner() {
    return owner;
  }

  /**
   * Frees what the scope still owns, newest first; closing twice is allowed. A scope inside this
   * one that was left open is closed first, which is then reported.
   *
   * @throws TorchException on another thread, which closes nothing; or, when all else is closed,
   *     about an inner scope that was left open and tensors that cannot be closed, each further one
   *     a suppressed exception. Such a tensor is the caller's from then on.
   */
  @Override
  public void close() {
    if (closed) {
      return;
    }
    checkThread();
    List<RuntimeException> failures = new ArrayList<>();
    try {
      for (TensorScope inner = INNERMOST.get();
          inner != null && inner != this;
          inner = inner.outer) {
        failures.add(
            new TorchException("a tensor scope inside this one was left open; it is closed now"));
        inner.free(failures);
      }
      free(failures);
    } finally {
      // Whatever was thrown: a closed scope takes no more tensors of its thread.
      INNERMOST.set(outer);
    }
    if (!failures.isEmpty()) {
      RuntimeException first = failures.removeFirst();
      failures.forEach(first::addSuppressed);
      throw first;
    }
  }

  private void free(List<RuntimeException> failures) {
    closed = true;
    List<Tensor> owned = tensors;
    tensors = List.of();
    for (Tensor t : owned.reversed()) {
      if (t.isOwnedBy(this)) {
        try {
          t.close();
        } catch (RuntimeException e) {
          failures.add(e);
          t.leaveScope();
        }
      }
    }
  }

  private void checkThread() {
    if (Thread.currentThread() != owner) {
      throw new TorchException(
          "this tensor scope belongs to thread %s, not %s"
              .formatted(owner.getName(), Thread.currentThread().getName()));
    }
  }

  private void check() {
    if (closed) {
      throw new TorchException("this tensor scope is closed");
    }
    checkThread();
    if (INNERMOST.get() != this) {
      throw new TorchException("a tensor scope inside this one is still open");
    }
  }
}
