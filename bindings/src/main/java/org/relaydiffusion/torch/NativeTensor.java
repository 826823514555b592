// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.ref.Cleaner;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongFunction;
import java.util.function.LongUnaryOperator;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.torch.ffi.TensorAbi;

/**
 * One native handle and its end. Separate from {@link Tensor} so that the safety net can free it
 * after its tensor was lost. Whoever reads the handle holds this object's lock or a pin, so that no
 * thread, and not the collector, frees it meanwhile.
 */
final class NativeTensor implements Runnable {
  private static final Cleaner CLEANER = Cleaner.create();
  private static final boolean TRACK = Boolean.getBoolean("rdm.trackTensors");
  private static final LongAdder LIVE = new LongAdder();
  private static final AtomicLong LOST = new AtomicLong();
  private static final System.Logger LOG = System.getLogger("org.relaydiffusion.torch");

  private final @Nullable Throwable madeAt;
  private final long handle;
  private volatile boolean closed;
  private int pins;
  private Cleaner.@Nullable Cleanable guard;

  /** What {@link #memory} has handed out ends with the tensor. */
  private @Nullable Arena lent;

  private boolean lentToOneThread;

  NativeTensor(long handle) {
    this(handle, TRACK ? new Throwable("the tensor was made here") : null);
    LIVE.increment();
  }

  private NativeTensor(long handle, @Nullable Throwable madeAt) {
    this.handle = handle;
    this.madeAt = madeAt;
  }

  /** A handle that is not counted, and freed when {@code owner}, if there is one, is lost. */
  static NativeTensor ofLibrary(long handle, @Nullable Object owner) {
    if (owner != null) {
      CLEANER.register(owner, () -> TensorAbi.delete(handle));
    }
    return new NativeTensor(handle, null);
  }

  static long live() {
    return LIVE.sum();
  }

  static long lost() {
    return LOST.get();
  }

  boolean isClosed() {
    return closed;
  }

  /** A second handle of the same tensor, for a call that takes it over. */
  synchronized long further() {
    return TensorAbi.clone(open());
  }

  /** Asks a quick question. */
  synchronized long ask(LongUnaryOperator question) {
    return question.applyAsLong(open());
  }

  /** Asks a quick question with a list as its answer. */
  synchronized long[] askList(LongFunction<long[]> question) {
    return question.apply(open());
  }

  /** The handle for a longer call, which stays valid until {@link #unpin}, closed or not. */
  synchronized long pin() {
    long h = open();
    pins++;
    return h;
  }

  /** Ends what {@link #pin} began. */
  void unpin() {
    if (isLastPin()) {
      TensorAbi.delete(handle);
      JavaMemory.tensorFreed();
    }
  }

  private synchronized boolean isLastPin() {
    pins--;
    return closed && pins == 0;
  }

  /** The handle, while nobody but this thread may close it. */
  long confined() {
    return open();
  }

  /**
   * The elements in a row; a use after the end throws.
   *
   * @param oneThread whether only this thread closes the tensor, as ending a loan to all is a
   *     matter of microseconds
   */
  @SuppressWarnings("MustBeClosedChecker") // Closed by free().
  synchronized MemorySegment memory(boolean oneThread) {
    long h = open();
    long address = TensorAbi.dataPointer(h);
    if (lent == null) {
      lent = oneThread ? Arena.ofConfined() : Arena.ofShared();
      lentToOneThread = oneThread;
    }
    return MemorySegment.ofAddress(address).reinterpret(bytes(h), lent, null);
  }

  /** The size of the elements, as LibTorch counts: shape and type known to Java may be older. */
  static long bytes(long handle) {
    int code = TensorAbi.dtype(handle);
    DType dtype =
        DType.ofCode(code)
            .orElseThrow(
                () -> new TorchException("LibTorch's element type %s is unknown".formatted(code)));
    return TensorAbi.numel(handle) * dtype.byteSize();
  }

  /** Ends a loan to this thread alone, after which any may close the tensor. */
  synchronized void endConfinedLoan() {
    if (lentToOneThread) {
      endLoan("released");
    }
  }

  /**
   * Ends what {@link #memory} has handed out.
   *
   * @param purpose what is to be done with the tensor
   * @throws TorchException when it is in use
   */
  synchronized void endLoan(String purpose) {
    if (lent == null) {
      return;
    }
    try {
      lent.close();
    } catch (IllegalStateException | WrongThreadException e) {
      throw new TorchException(
          "this tensor's memory is in use, so it cannot be %s: %s"
              .formatted(purpose, e.getMessage()));
    }
    lent = null;
  }

  /**
   * Frees the handle, or leaves that to the last {@link #unpin}. Closing twice is allowed.
   *
   * @throws TorchException when memory that was lent is in use: the tensor then stays open
   */
  void free() {
    if (close()) {
      JavaMemory.tensorFreed();
    }
  }

  private synchronized boolean close() {
    if (closed) {
      return false;
    }
    endLoan("closed");
    closed = true;
    LIVE.decrement();
    if (pins == 0) {
      TensorAbi.delete(handle);
    }
    if (guard != null) {
      // Takes it off the Cleaner's list, which would otherwise grow until the next collection.
      guard.clean();
    }
    return true;
  }

  /**
   * Watches {@code owner}: if it is lost with this handle open, the handle is freed and reported.
   */
  synchronized void guard(Tensor owner) {
    guard = CLEANER.register(owner, this);
  }

  @Override
  public void run() {
    if (!closed) {
      LOST.incrementAndGet();
      free();
      LOG.log(
          System.Logger.Level.WARNING,
          "a tensor was lost without being closed"
              + (madeAt == null ? " (-Drdm.trackTensors=true says where it was made)" : ""),
          madeAt);
    }
  }

  private long open() {
    if (closed) {
      throw new TorchException("this tensor is closed");
    }
    return handle;
  }
}
