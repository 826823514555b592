// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.lang.ref.Cleaner;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongFunction;
import java.util.function.LongUnaryOperator;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.torch.ffi.StorageAbi;
import org.relaydiffusion.torch.ffi.TensorAbi;

/**
 * One native handle and its end. Separate from {@link Tensor} so that the safety net can free it
 * after its tensor was lost. Whoever reads the handle holds a pin, so that no thread, and not the
 * collector, frees it meanwhile. Pins are counted without a lock, as each operand of each operator
 * takes one; the lock is for what is lent, and for closing.
 */
final class NativeTensor implements Runnable {
  private static final Cleaner CLEANER = Cleaner.create();
  private static final boolean TRACK = Boolean.getBoolean("rdm.trackTensors");
  private static final LongAdder LIVE = new LongAdder();
  private static final AtomicLong LOST = new AtomicLong();
  private static final System.Logger LOG = System.getLogger("org.relaydiffusion.torch");

  /** All whose memory is lent. */
  private static final Set<NativeTensor> LENDING = ConcurrentHashMap.newKeySet();

  /** The bit of {@link #state} that says that no more pins are given. */
  private static final int CLOSED = Integer.MIN_VALUE;

  private static final VarHandle STATE = stateHandle();

  private final @Nullable Throwable madeAt;
  private final long handle;

  /** The number of pins, and {@link #CLOSED}. Who makes it {@code CLOSED} and no pins frees. */
  private volatile int state;

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

  private static VarHandle stateHandle() {
    try {
      return MethodHandles.lookup().findVarHandle(NativeTensor.class, "state", int.class);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(e);
    }
  }

  boolean isClosed() {
    return state < 0;
  }

  /** A second handle of the same tensor, for a call that takes it over. */
  long further() {
    long h = pin();
    try {
      return TensorAbi.clone(h);
    } finally {
      unpin();
    }
  }

  /** Asks a question. */
  long ask(LongUnaryOperator question) {
    long h = pin();
    try {
      return question.applyAsLong(h);
    } finally {
      unpin();
    }
  }

  /** Asks while no other thread {@linkplain #askAlone asks so}: about what may be replaced. */
  synchronized long askAlone(LongUnaryOperator question) {
    return ask(question);
  }

  /** Asks a question with a list as its answer. */
  long[] askList(LongFunction<long[]> question) {
    long h = pin();
    try {
      return question.apply(h);
    } finally {
      unpin();
    }
  }

  /** The handle for a call, which stays valid until {@link #unpin}, closed or not. */
  long pin() {
    while (true) {
      int before = state;
      long h = open(before);
      if (STATE.compareAndSet(this, before, before + 1)) {
        return h;
      }
    }
  }

  /** Ends what {@link #pin} began. */
  void unpin() {
    if ((int) STATE.getAndAdd(this, -1) == CLOSED + 1) {
      TensorAbi.delete(handle);
      JavaMemory.tensorFreed();
    }
  }

  /** The handle, while nobody but this thread may close it. */
  long confined() {
    return open(state);
  }

  /**
   * The elements in a row; a use after the end throws.
   *
   * @param oneThread whether only this thread closes the tensor, as ending a loan to all is a
   *     matter of microseconds
   */
  @SuppressWarnings("MustBeClosedChecker") // Closed by free().
  synchronized MemorySegment memory(boolean oneThread) {
    long h = open(state);
    long address = TensorAbi.dataPointer(h);
    if (lent == null) {
      lent = oneThread ? Arena.ofConfined() : Arena.ofShared();
      lentToOneThread = oneThread;
      LENDING.add(this);
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
    LENDING.remove(this);
  }

  /**
   * Ends what was handed out of this tensor's storage, by whatever tensor: the elements are about
   * to move. Where it cannot be told which tensors share it, all loans end.
   *
   * @throws TorchException when one of the loans is in use
   */
  void endLoansOfStorage() {
    if (LENDING.isEmpty()) {
      return;
    }
    JavaMemory.learnStorages();
    long storage = ask(StorageAbi::storage);
    for (NativeTensor lending : LENDING) {
      if (storage == 0 || lending.isOver(storage)) {
        lending.endLoan("changed");
      }
    }
  }

  private synchronized boolean isOver(long storage) {
    return !isClosed() && StorageAbi.storage(handle) == storage;
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
    if (isClosed()) {
      return false;
    }
    endLoan("closed");
    int pins = (int) STATE.getAndBitwiseOr(this, CLOSED);
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
    if (!isClosed()) {
      LOST.incrementAndGet();
      free();
      LOG.log(
          System.Logger.Level.WARNING,
          "a tensor was lost without being closed"
              + (madeAt == null ? " (-Drdm.trackTensors=true says where it was made)" : ""),
          madeAt);
    }
  }

  private long open(int known) {
    if (known < 0) {
      throw new TorchException("this tensor is closed");
    }
    return handle;
  }
}
