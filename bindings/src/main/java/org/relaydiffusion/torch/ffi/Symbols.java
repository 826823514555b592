// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.ffi;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.GroupLayout;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.util.function.Supplier;
import org.relaydiffusion.nativeconfig.LibTorch;
import org.relaydiffusion.nativeconfig.NativeAccess;
import org.relaydiffusion.nativeconfig.NativeLibraryException;

/**
 * Turns names of LibTorch's exported functions into method handles, which look the function up when
 * they are first called. Where LibTorch cannot be loaded, or lacks the function, each call throws
 * the {@link NativeLibraryException} that says so, and what needs another function still works.
 *
 * <p>None of LibTorch's functions that can fail is called with {@link
 * Linker.Option#critical(boolean)}, which would make it a little quicker: it calls Java to tell its
 * reason (see {@code ErrorStream}), and during such a call that ends the process.
 */
final class Symbols {
  private Symbols() {}

  /** A function that returns an error code. */
  static MethodHandle code(String name, MemoryLayout... arguments) {
    return any(name, FunctionDescriptor.of(ValueLayout.JAVA_INT, arguments));
  }

  /**
   * A function of LibTorch's that returns at once and cannot fail, and is asked at every operator:
   * it is called without a transition of the thread's state.
   */
  static MethodHandle infallible(String name, FunctionDescriptor descriptor) {
    return LazyHandle.of(
        type(descriptor),
        () ->
            link(() -> LibTorch.load().function(name), descriptor, Linker.Option.critical(false)));
  }

  /** Any function. */
  static MethodHandle any(String name, FunctionDescriptor descriptor) {
    return LazyHandle.of(
        type(descriptor), () -> link(() -> LibTorch.load().function(name), descriptor));
  }

  /** A function of the C library that returns at once. */
  static MethodHandle system(String name, FunctionDescriptor descriptor) {
    return LazyHandle.of(
        descriptor.toMethodType(),
        () ->
            link(
                () ->
                    Linker.nativeLinker()
                        .defaultLookup()
                        .find(name)
                        .orElseThrow(
                            () -> new NativeLibraryException("the C library lacks " + name)),
                descriptor,
                Linker.Option.critical(false)));
  }

  /** Whether this build has a function: {@code ()boolean}, a constant once it is known. */
  static MethodHandle presence(String name) {
    return LazyHandle.of(
        MethodType.methodType(boolean.class),
        () -> MethodHandles.constant(boolean.class, LibTorch.load().find(name).isPresent()));
  }

  /** A function that returns a struct is also given the place for it. */
  private static MethodType type(FunctionDescriptor descriptor) {
    MethodType type = descriptor.toMethodType();
    return descriptor.returnLayout().filter(GroupLayout.class::isInstance).isPresent()
        ? type.insertParameterTypes(0, SegmentAllocator.class)
        : type;
  }

  /** A handle of a function whose address is known. */
  static MethodHandle at(MemorySegment function, FunctionDescriptor descriptor) {
    return link(() -> function, descriptor);
  }

  private static MethodHandle link(
      Supplier<MemorySegment> function, FunctionDescriptor descriptor, Linker.Option... options) {
    try {
      return Linker.nativeLinker().downcallHandle(function.get(), descriptor, options);
    } catch (IllegalCallerException e) {
      throw NativeAccess.refusal(e);
    } catch (UnsupportedOperationException e) {
      throw new NativeLibraryException("Java cannot call native libraries on this platform", e);
    }
  }
}
