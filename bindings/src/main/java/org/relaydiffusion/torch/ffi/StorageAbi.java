// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.ffi;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.Optional;

/**
 * Tells when a storage over foreign memory ends, however many tensors, graphs and gradients share
 * it. The C ABI of 2.10 makes such a storage without a deleter, so this puts one into its {@code
 * c10::DataPtr}, whose fields are compared first with what {@code from_blob} has just written
 * there:
 *
 * <pre>
 * at::Tensor            +0  c10::TensorImpl*
 * c10::TensorImpl       +16 c10::StorageImpl*
 * c10::StorageImpl      +16 data, +24 deleter, +32 context, +40 device, +48 number of bytes
 * </pre>
 *
 * <p>The deleter is the C library's {@code sem_post}, and the context a semaphore: it may run on
 * any thread of LibTorch's, inside of any call and at the end of the process, where Java cannot.
 */
public final class StorageAbi {
  private static final long STORAGE_AT = 16;
  private static final long DATA_AT = 16;
  private static final long DELETER_AT = 24;
  private static final long CONTEXT_AT = 32;
  private static final long DEVICE_AT = 40;
  private static final long BYTES_AT = 48;
  private static final long STORAGE_BYTES = 56;

  /** More than a {@code sem_t} has on any system. */
  private static final long SEMAPHORE_BYTES = 128;

  private static final MethodHandle INIT =
      Symbols.system("sem_init", FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT));
  private static final MethodHandle VALUE =
      Symbols.system("sem_getvalue", FunctionDescriptor.of(JAVA_INT, ADDRESS, ADDRESS));
  private static final long POST = address("sem_post");
  private static final boolean HAS_SEMAPHORES =
      POST != 0 && address("sem_init") != 0 && address("sem_getvalue") != 0;

  /** Whether a storage of this LibTorch was found as expected. */
  private static volatile boolean known;

  private StorageAbi() {}

  /** A semaphore at 0, for {@link #notifyEnd}; empty where the system has none without names. */
  public static Optional<MemorySegment> newNotice() {
    if (!HAS_SEMAPHORES) {
      return Optional.empty();
    }
    // Automatic: whoever waits for the end keeps it.
    MemorySegment semaphore = Arena.ofAuto().allocate(SEMAPHORE_BYTES, JAVA_LONG.byteSize());
    try {
      return (int) INIT.invokeExact(semaphore, 0, 0) == 0
          ? Optional.of(semaphore)
          : Optional.empty();
    } catch (Throwable e) {
      throw TensorAbi.fatal(e);
    }
  }

  /**
   * Has {@code notice} raised when the storage of a tensor that {@link TensorAbi#fromBlob} has just
   * made ends. The notice must be kept until then.
   *
   * @param bytes how many the storage has
   * @return whether that can be done: this LibTorch's storages are as expected
   */
  public static boolean notifyEnd(long handle, long address, long bytes, MemorySegment notice) {
    long place = storageOf(handle);
    if (place == 0 || place % JAVA_LONG.byteSize() != 0) {
      return false;
    }
    MemorySegment storage = at(place, STORAGE_BYTES);
    boolean asExpected =
        storage.get(JAVA_LONG, DATA_AT) == address
            && storage.get(JAVA_LONG, DELETER_AT) != 0
            && storage.get(JAVA_LONG, CONTEXT_AT) == 0
            && storage.get(JAVA_BYTE, DEVICE_AT) == 0
            && storage.get(JAVA_LONG, BYTES_AT) == bytes;
    if (asExpected) {
      known = true;
      storage.set(JAVA_LONG, DELETER_AT, POST);
      storage.set(JAVA_LONG, CONTEXT_AT, notice.address());
    }
    return asExpected;
  }

  /** Whether {@link #notifyEnd} has found this LibTorch's storages as expected. */
  public static boolean isKnown() {
    return known;
  }

  /**
   * Which storage a tensor has: all that share it give the same number, which no other has while it
   * is there. 0 where it has none, or storages are not {@linkplain #isKnown() known}.
   */
  public static long storage(long handle) {
    return known ? storageOf(handle) : 0;
  }

  /**
   * Where a tensor's storage begins, which a tensor without elements has, too; 0 where it has none,
   * or storages are not {@linkplain #isKnown() known}.
   */
  public static long dataAddress(long handle) {
    long place = storage(handle);
    return place == 0 ? 0 : at(place, STORAGE_BYTES).get(JAVA_LONG, DATA_AT);
  }

  private static long storageOf(long handle) {
    MemorySegment tensor = at(handle, JAVA_LONG.byteSize());
    MemorySegment impl = at(tensor.get(JAVA_LONG, 0), STORAGE_AT + JAVA_LONG.byteSize());
    return impl.get(JAVA_LONG, STORAGE_AT);
  }

  /** Whether a notice was raised. */
  public static boolean isRaised(MemorySegment notice) {
    Scratch s = Scratch.current();
    try {
      return (int) VALUE.invokeExact(notice, s.out) == 0 && s.out.get(JAVA_INT, 0) > 0;
    } catch (Throwable e) {
      throw TensorAbi.fatal(e);
    }
  }

  private static MemorySegment at(long address, long bytes) {
    return MemorySegment.ofAddress(address).reinterpret(bytes);
  }

  /** Of a function of the C library; 0 where it has none of that name. */
  private static long address(String name) {
    return Linker.nativeLinker().defaultLookup().find(name).map(MemorySegment::address).orElse(0L);
  }
}
