// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.ffi;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.invoke.MutableCallSite;
import java.util.function.Supplier;

/**
 * A method handle that is made when it is first called. The compiler takes the target of a call
 * site for a constant, so that a call through a {@code static final} handle of this kind costs what
 * one through the handle itself does. As long as it cannot be made, each call throws what the maker
 * throws; nothing happens when a class that has such handles is initialised.
 */
final class LazyHandle extends MutableCallSite {
  private static final MethodHandle MAKE = make();

  private final Supplier<MethodHandle> maker;

  private LazyHandle(MethodType type, Supplier<MethodHandle> maker) {
    super(type);
    this.maker = maker;
    setTarget(MethodHandles.foldArguments(MethodHandles.exactInvoker(type), MAKE.bindTo(this)));
  }

  /**
   * A handle of the given type.
   *
   * @param maker makes the handle that is called; asked again after it has thrown
   */
  static MethodHandle of(MethodType type, Supplier<MethodHandle> maker) {
    return new LazyHandle(type, maker).dynamicInvoker();
  }

  // Several threads may come here at once: each makes a handle, and any of them will do.
  @SuppressWarnings("UnusedMethod") // Found by its name below.
  private MethodHandle target() {
    MethodHandle target = maker.get();
    setTarget(target);
    return target;
  }

  private static MethodHandle make() {
    try {
      return MethodHandles.lookup()
          .findVirtual(LazyHandle.class, "target", MethodType.methodType(MethodHandle.class));
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(e);
    }
  }
}
